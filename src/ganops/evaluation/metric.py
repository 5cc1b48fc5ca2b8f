"""What a score is: its name, which way is better, what it says in a sentence, and how groups of them are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ganops.errors import SettingsError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate
from ganops.params import EvaluateParams
from ganops.settings import nearest


@dataclass(frozen=True)
class Score:
    """One number of metrics.json.

    key: its name there; title: as the field writes it; better: which way, None where neither is better in itself;
    sentence: what it says, for the report.
    """

    key: str
    title: str
    better: Literal["lower", "higher"] | None
    sentence: str


def always(_case: EvalContext) -> bool:
    """For scores that can be computed in every case."""
    return True


@dataclass(frozen=True)
class Group:
    """Scores that are computed together, under the name by which `evaluate.scores` asks for them.

    applies: whether they can be computed at all (data without classes have no scores by class).
    keeps_images: the generated images themselves are needed, not only their features.
    """

    name: str
    scores: tuple[Score, ...]
    measure: Callable[[EvalContext], dict[str, Estimate]]
    applies: Callable[[EvalContext], bool] = always
    needs_classifier: bool = False
    keeps_images: bool = False


@cache
def all_groups() -> dict[str, Group]:
    """Every group by its name: each file of ganops.evaluation.metrics offers one as GROUP.

    Those that are computed by default come first, in the order of params.yaml's default.
    """
    package = importlib.import_module("ganops.evaluation.metrics")
    names = [f"{package.__name__}.{found.name}" for found in pkgutil.iter_modules(package.__path__)]
    groups: list[Group] = [importlib.import_module(name).GROUP for name in names]
    first = EvaluateParams().scores
    groups.sort(key=lambda group: first.index(group.name) if group.name in first else len(first))
    return {group.name: group for group in groups}


def all_scores() -> dict[str, Score]:
    """Every score by its key."""
    return {score.key: score for group in all_groups().values() for score in group.scores}


def pick_groups(names: Iterable[str]) -> list[Group]:
    """The groups of these names, each once; raises SettingsError that names the nearest for an unknown one."""
    groups = all_groups()
    for name in names:
        if name not in groups:
            raise SettingsError(f"evaluate.scores: there is no score '{name}'", action=nearest(name, groups))
    return [groups[name] for name in dict.fromkeys(names)]
