"""Prepared folders made by hand, and images scored as if a model had made them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganops.data.fields.image import ImageField
from ganops.data.manifest import Manifest, manifest_path
from ganops.data.packed import write_packed
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.evaluation.evaluator import Evaluation, Evaluator, outputs_only
from ganops.games.task import Task

DIGITS = tuple(str(digit) for digit in range(10))
IMAGE16 = ImageField(channels=1, size=16)


def write_data(folder: Path, fields: dict[str, Any], train: Rows, test: Rows | None) -> Path:
    """A prepared folder, as the stage leaves it."""
    spec = DataSpec(fields=fields)
    counts = {"train": len(train), "test": 0 if test is None else len(test)}
    write_packed(folder, "train", train, spec.fields)
    write_packed(folder, "test", train.select(slice(0, 0)) if test is None else test, spec.fields)
    Manifest(source="digits", digest="d" * 64, spec=spec, counts=counts).write(manifest_path(folder))
    return folder


def score_images(evaluator: Evaluator, batches: Any, wanted: tuple[str, ...] | None = None) -> Evaluation:
    """Score batches of stored images of any form."""
    first = batches[0]
    field = ImageField(channels=first.shape[1], size=first.shape[2]) if first.ndim == 4 else None
    spec = evaluator.reference.description.spec
    task = Task(outputs={spec.target: field or spec.fields[spec.target]})
    groups = evaluator.groups(task).chosen
    if wanted is not None:
        groups = {name: chosen for name, chosen in groups.items() if name in wanted}
    samples: Any = outputs_only(batches, spec.target)
    return evaluator.measure(samples, groups, evaluator.context(groups, task, spec, sum(map(len, batches))))
