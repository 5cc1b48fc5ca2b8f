"""What a score is: its name, which way is better, what it says in a sentence, and how groups of them are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from torch import Tensor

from ganops.errors import SettingsError
from ganops.evaluation.backbones.backbone import Activations
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.protocol import Protocol
from ganops.evaluation.reference import Reference
from ganops.evaluation.statistics import Statistics
from ganops.settings import nearest


@dataclass(frozen=True)
class Score:
    """One number of metrics.json.

    key: its name there; title: as the field writes it; better: which way; sentence: what it says, for the report.
    """

    key: str
    title: str
    better: Literal["lower", "higher"]
    sentence: str


@dataclass(frozen=True)
class Case:
    """All that scores are computed from.

    generated: features and logits of all generated images; statistics: mean and covariance of these features;
    nearest: (n,) distance of each to the nearest training image.
    """

    generated: Activations
    statistics: Statistics
    nearest: Tensor
    real: Reference
    protocol: Protocol


@dataclass(frozen=True)
class Group:
    """Scores that are computed together, under the name by which `evaluate.scores` asks for them."""

    name: str
    scores: tuple[Score, ...]
    measure: Callable[[Case], dict[str, Estimate]]


@cache
def all_groups() -> dict[str, Group]:
    """Every group by its name: each file of ganops.evaluation.scores offers one as GROUP."""
    package = importlib.import_module("ganops.evaluation.scores")
    names = [f"{package.__name__}.{found.name}" for found in pkgutil.iter_modules(package.__path__)]
    groups: list[Group] = [importlib.import_module(name).GROUP for name in names]
    return {group.name: group for group in groups}


def all_scores() -> dict[str, Score]:
    """Every score by its key."""
    return {score.key: score for group in all_groups().values() for score in group.scores}


def pick_groups(names: Iterable[str]) -> list[Group]:
    """The groups of these names, each once; raises SettingsError that names the nearest for an unknown one."""
    groups = all_groups()
    for name in names:
        if name not in groups:
            raise SettingsError(f"params.yaml: evaluate.scores: there is no '{name}'", action=nearest(name, groups))
    return [groups[name] for name in dict.fromkeys(names)]
