"""Classification accuracy score: how good a classifier gets that learns from generated images alone.

Ravuri and Vinyals 2019, arXiv:1905.10887. The images' classes are those that were asked for, or, where the game has
none, those that the reference's classifier sees.
"""

from __future__ import annotations

from math import hypot

import torch

from ganops.data.manifest import read_manifest
from ganops.data.packed import PackedImages, read_packed
from ganops.errors import EvaluationError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, share_error
from ganops.evaluation.extractors.classifier import train_classifier
from ganops.evaluation.metric import Group, Score
from ganops.progress import progress


def _measure(case: EvalContext) -> dict[str, Estimate]:
    assert case.prepared is not None
    assert case.images is not None
    assert case.classes is not None
    spec = read_manifest(case.prepared).spec
    train, test = read_packed(case.prepared, "train"), read_packed(case.prepared, "test")
    if train.labels is None or not len(test):
        raise EvaluationError(
            "the classification accuracy score needs labelled test images",
            action="raise data.test_share, or leave cas out of evaluate.scores",
        )
    synthetic = PackedImages(case.images, case.classes)
    both = PackedImages(torch.cat([train.images, case.images]), torch.cat([train.labels, case.classes]))
    accuracies = []
    for name, data in (("synthetic", synthetic), ("real", train), ("both", both)):
        settings = case.params.classifier
        shown = round(min(settings.epochs * len(data), settings.max_kimg * 1000))
        with progress(f"cas {name}", shown, "images") as bar:
            trained = train_classifier(data, test, spec, settings, case.protocol.seed, case.device, bar.update)
        accuracies.append(trained.description.accuracy)
    synthetic_only, real_only, together = accuracies
    errors = [share_error(accuracy, len(test)) for accuracy in accuracies]
    return {
        "cas": Estimate(synthetic_only, errors[0]),
        "cas_gain": Estimate(together - real_only, hypot(errors[1], errors[2])),
    }


def _applies(case: EvalContext) -> bool:
    return case.prepared is not None and case.classes is not None


GROUP = Group(
    "cas",
    (
        Score("cas", "CAS", "higher", "Accuracy on real images of a classifier that learnt from generated ones alone."),
        Score("cas_gain", "CAS gain", "higher", "What adding generated images to the real ones gives in accuracy."),
    ),
    _measure,
    _applies,
    needs_classifier=True,
    keeps_images=True,
)
