"""Evaluations of games with several tasks, such as both directions of a translation without pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ganops.data.spec import DataSpec
from ganops.evaluation.scores import Protocol, Scores
from ganops.games.task import Task


def domain_folder(folder: Path, task: Task, spec: DataSpec) -> Path:
    """Where the domain that a task's outputs belong to lies in a folder of prepared data or of references.

    Of paired data there is one domain, which is the folder itself.
    """
    domain = spec.domain_of(next(iter(task.outputs)))
    return folder / domain if domain else folder


def joint_scores(found: Mapping[str, Scores]) -> Scores:
    """The scores of all tasks: those of the first by their own keys, of the others by `<task>/<key>`.

    Each task has real data of its own, so the whole protocol of another task is the section of its groups.
    """
    (_, first), *others = found.items()
    values, groups = dict(first.values_), dict(first.protocol.groups)
    group_of = dict(first.group_of)
    for task, scores in others:
        shared = scores.protocol.shared
        values |= {f"{task}/{key}": estimate for key, estimate in scores.items()}
        groups |= {f"{task}/{name}": {**shared, **section} for name, section in scores.protocol.groups.items()}
        group_of |= {f"{task}/{key}": f"{task}/{group}" for key, group in scores.group_of.items()}
    return replace(
        first, values_=values, protocol=Protocol(shared=first.protocol.shared, groups=groups), group_of=group_of
    )
