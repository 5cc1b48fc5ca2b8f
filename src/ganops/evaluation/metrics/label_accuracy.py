"""Label accuracy: does an output show the class that was asked for, or that of its source?

For translations this is the accuracy of a reader, after the FCN score (Isola et al. 2017, arXiv:1611.07004, 3.2).
"""

from __future__ import annotations

from ganops.data.spec import DataSpec
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
    return task.class_column is not None and has_classes(task, spec)


GROUP = MetricGroup(
    "label-accuracy",
    (
        Metric(
            "label_accuracy",
            "Label accuracy",
            "higher",
            "The share of outputs in which the classifier sees the class that was requested, or that of the source.",
        ),
    ),
    _applies,
    at_the_end(_measure),
    "a task whose outputs should be of a known class",
    needs_classifier=True,
)
