"""Label accuracy: does a model that is asked for a class make an image of it?"""

from __future__ import annotations

from ganops.data.spec import LABEL, DataSpec
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_share
from ganops.evaluation.metric import Metric, MetricGroup, Result, at_the_end, has_classes
from ganops.games.task import Task


def _measure(context: EvalContext) -> Result:
    predicted, target = context.predicted_class, context.target_class
    assert predicted is not None
    assert target is not None
    return Result({"label_accuracy": from_share(predicted.eq(target))})


def _applies(task: Task, spec: DataSpec) -> bool:
    return LABEL in task.inputs and has_classes(task, spec)


GROUP = MetricGroup(
    "label-accuracy",
    (
        Metric(
            "label_accuracy",
            "Label accuracy",
            "higher",
            "The share of images in which the classifier sees the class that was requested.",
        ),
    ),
    _applies,
    at_the_end(_measure),
    "a model that takes a class label",
    needs_classifier=True,
)
