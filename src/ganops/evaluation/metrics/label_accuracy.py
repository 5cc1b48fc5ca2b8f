"""Label accuracy: does a game that is asked for a class make an image of it?"""

from __future__ import annotations

from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_share
from ganops.evaluation.metric import Group, Score


def _measure(case: EvalContext) -> dict[str, Estimate]:
    assert case.predicted is not None
    assert case.asked is not None
    return {"label_accuracy": from_share(case.predicted.eq(case.asked))}


def _applies(case: EvalContext) -> bool:
    return case.asked is not None and case.predicted is not None


GROUP = Group(
    "label-accuracy",
    (
        Score(
            "label_accuracy",
            "Label accuracy",
            "higher",
            "The share of images in which the classifier sees the class that was asked for.",
        ),
    ),
    _measure,
    _applies,
    needs_classifier=True,
)
