"""The shared section of the protocol: all that every metric group's scores depend on."""

from __future__ import annotations

from typing import Any

from ganops.evaluation.context import EvalContext
from ganops.evaluation.real import Reference

VERSION = 2  # of what the sections mean; scores of different versions do not compare


def shared_section(context: EvalContext, reference: Reference) -> dict[str, Any]:
    """Real data, numbers of samples, seed, features. Neither the recipe nor the machine is part of it.

    column, form: the output that is compared, and the form in which; outputs of another size are brought to it, bicubic
    with antialiasing. labels: how classes are requested where the model takes labels.
    """
    made = reference.description
    return {
        "version": VERSION,
        "data": made.real_data,
        "split": made.split,
        "real": made.counts[made.split],
        "generated": context.count,
        "seed": context.seed,
        "column": context.column,
        "form": context.data_field.description if context.column is not None else None,
        "conversion": "bicubic-antialiased",
        "labels": "shares of the training data",
        "features": made.features,
        "weights": made.weights,
        "resize": made.resize,
        "classifier": made.classifier,
        "precision": "float32",
    }
