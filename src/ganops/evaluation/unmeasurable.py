"""Which metric groups that were asked for cannot be had of a task and of data, known before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ganops.data.spec import DataSpec
from ganops.evaluation.metric import Counts, MetricGroup
from ganops.games.task import Task
from ganops.settings import Settings


@dataclass(frozen=True)
class Division:
    """chosen: the groups that can be measured. The others by the reason why not: they are made for other tasks or data,
    or the data have too little of something.
    """

    chosen: dict[str, tuple[MetricGroup, Settings]]
    other_tasks: dict[str, str]
    too_little: dict[str, str]


def divide(
    groups: Mapping[str, tuple[MetricGroup, Settings]], task: Task, spec: DataSpec, counts: Counts, classifier: bool
) -> Division:
    """Which of the groups can be measured. classifier: whether there is one of the data's classes."""
    found = Division({}, {}, {})
    for name, (group, settings) in groups.items():
        if not group.applies(task, spec):
            found.other_tasks[name] = f"needs {group.requires}"
        elif (test := counts.get("test", 0)) < group.fewest_test:
            found.too_little[name] = f"needs {group.fewest_test} test images or more; there are {test}"
        elif group.needs_classifier and not classifier:
            found.too_little[name] = "needs a classifier of the data's classes, for which there are too few images"
        else:
            found.chosen[name] = (group, settings)
    return found
