"""Which metric groups that were asked for cannot be had of a task and of data, known before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping

from ganops.data.spec import DataSpec
from ganops.evaluation.auto import classifier_possible, resolve_features
from ganops.evaluation.metric import Counts, MetricGroup
from ganops.evaluation.metric_groups import chosen_groups
from ganops.games.task import Task
from ganops.params import EvaluateParams
from ganops.settings import Settings


def unmeasurable(params: EvaluateParams, task: Task, spec: DataSpec, counts: Counts) -> list[tuple[str, str]]:
    """(group, reason) for each group of `evaluate.metrics` that is left out; the others adapt to the data.

    counts: rows of each split, as the manifest has them. Raises SettingsError for an unknown group or key.
    """
    params = resolve_features(params, spec, counts)
    classifier = params.features == "classifier" or classifier_possible(spec, counts)
    found = divide(chosen_groups(params), task, spec, counts, classifier)[1]
    return list(found.items())


def divide(
    groups: Mapping[str, tuple[MetricGroup, Settings]], task: Task, spec: DataSpec, counts: Counts, classifier: bool
) -> tuple[dict[str, tuple[MetricGroup, Settings]], dict[str, str]]:
    """The groups that can be measured, and the reasons of the others. classifier: whether there is one."""
    chosen: dict[str, tuple[MetricGroup, Settings]] = {}
    left_out: dict[str, str] = {}
    for name, (group, settings) in groups.items():
        reason = _reason(group, task, spec, counts, classifier)
        if reason:
            left_out[name] = reason
        else:
            chosen[name] = (group, settings)
    return chosen, left_out


def _reason(group: MetricGroup, task: Task, spec: DataSpec, counts: Counts, classifier: bool) -> str:
    if not group.applies(task, spec):
        return f"needs {group.requires}"
    lacks = group.lacks(task, spec, counts)
    if lacks:
        return f"needs {lacks}"
    if group.needs_classifier and not classifier:
        return "needs a classifier of the data's classes, for which there are too few images"
    return ""
