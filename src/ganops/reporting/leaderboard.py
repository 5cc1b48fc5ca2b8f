"""The rows of the leaderboard, read from the results of training and evaluation, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import isinf
from pathlib import Path
from typing import Any, Literal

from ganops.errors import EvaluationError
from ganops.evaluation.json_file import read_json
from ganops.evaluation.metric import Metric
from ganops.evaluation.scores import NO_SCORES, Scores, load_scores, read_scores
from ganops.reporting.scores import sort_key
from ganops.workspace import Workspace

Kind = Literal["recipe", "reference", "baseline"]


@dataclass(frozen=True)
class TrainingFacts:
    """What training.json says.

    images_per_second: real images shown to the discriminator. parameters: of each network.
    health_events: the events that the health checks reported. unhealthy: training ended so, and the recipe cannot win.
    """

    images_per_second: float
    minutes: float
    parameters: Mapping[str, int]
    steps: int
    unhealthy: bool = False
    health_events: tuple[str, ...] = ()

    @property
    def parameter_count(self) -> int:
        """Of all networks together."""
        return sum(self.parameters.values())


@dataclass(frozen=True)
class LeaderboardRow:
    """One line of the leaderboard.

    kind: a recipe, which can win; a reference (real images, scored like a model) or a baseline, which cannot.
    own: the scores of this one model. mean: the means over several seeds of the recipe, where it was trained with
    several; `seeds` names those trainings, best first. training: None for references and baselines.
    """

    name: str
    own: Scores
    kind: Kind = "recipe"
    mean: Scores | None = None
    training: TrainingFacts | None = None
    seeds: tuple[str, ...] = ()

    @property
    def scores(self) -> Scores:
        """What the row is ranked by: the means over its seeds where there are several, otherwise its own."""
        return self.own if self.mean is None else self.mean

    @property
    def unhealthy(self) -> bool:
        """Whether its training ended unhealthy."""
        return self.training is not None and self.training.unhealthy

    @property
    def parameter_count(self) -> int:
        """Of all networks; 0 where nothing was trained."""
        return self.training.parameter_count if self.training else 0

    @property
    def health(self) -> str:
        """In one or two words; empty where nothing was trained."""
        if self.training is None:
            return ""
        if self.training.unhealthy:
            return "unhealthy"
        warnings = len(self.training.health_events)
        return f"{warnings} warning{'s' if warnings > 1 else ''}" if warnings else "healthy"


def read_row(workspace: Workspace, recipe: str) -> LeaderboardRow:
    """Read what training and evaluation left of one recipe; an unhealthy one may lack scores.

    Raises EvaluationError when a file is missing or damaged otherwise.
    """
    path = workspace.trained(recipe) / "training.json"
    facts = read_json(path, f"dvc repro train@{recipe}")
    try:
        training = TrainingFacts(
            images_per_second=float(facts["images_per_second"]),
            minutes=float(facts["seconds"]) / 60,
            parameters={network: int(count) for network, count in facts["parameters"].items()},
            steps=int(facts["steps"]),
            unhealthy=facts.get("unhealthy") is True,
            health_events=tuple(_describe(event) for event in facts["health_events"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvaluationError(
            f"{path} is damaged",
            code="damaged-file",
            expected="the facts of a training",
            found=f"{type(error).__name__}: {error}",
            action=f"run: dvc repro --force --single-item train@{recipe}",
        ) from error
    path = workspace.evaluated(recipe) / "scores.json"
    unscored = training.unhealthy and not path.exists()
    scores = NO_SCORES if unscored else read_scores(path, f"dvc repro evaluate@{recipe}")
    return LeaderboardRow(recipe, scores, training=training)


def read_references(workspace: Workspace, recipes: Sequence[str]) -> list[LeaderboardRow]:
    """The rows that recipes are judged against: real images first, then the baselines of the recipes' tasks.

    A baseline that several recipes share, with the same scores, is one row.
    """
    files = sorted((workspace.reference / "rows").glob("*.json"))
    found = [_read_reference(file, "reference") for file in files]
    baselines: dict[str, list[tuple[str, LeaderboardRow]]] = {}
    for recipe in recipes:
        for file in sorted((workspace.evaluated(recipe) / "baselines").glob("*.json")):
            row = _read_reference(file, "baseline")
            same_name = baselines.setdefault(row.name, [])
            if row.own.dump() not in [known.own.dump() for _, known in same_name]:
                same_name.append((recipe, row))
    for name, rows in baselines.items():
        found += [row if len(rows) == 1 else replace(row, name=f"{name} ({recipe})") for recipe, row in rows]
    return found


def _read_reference(path: Path, kind: Kind) -> LeaderboardRow:
    value = read_json(path, "dvc repro")
    return LeaderboardRow(str(value.get("title", path.stem)), load_scores(value, str(path)), kind)


def _describe(event: Mapping[str, Any]) -> str:
    return f"step {event['step']:,}: {event['kind']}: {event['detail']}"


def ranked(rows: Sequence[LeaderboardRow], metric: Metric) -> list[LeaderboardRow]:
    """References first, then best first; rows without a value follow, unhealthy ones come last, each as given."""
    return sorted(rows, key=lambda row: (row.kind != "reference", row.unhealthy, sort_key(metric, row.scores)))


def ranks(rows: Sequence[LeaderboardRow], metric: Metric) -> dict[str, int]:
    """The rank of each recipe that has one: it is healthy and has the metric. Equal values share a rank."""
    able = [row for row in ranked(rows, metric) if row.kind == "recipe" and not row.unhealthy]
    scored = [row for row in able if not isinf(sort_key(metric, row.scores))]
    found: dict[str, int] = {}
    for _, equals in groupby(scored, key=lambda row: sort_key(metric, row.scores)):
        rank = len(found) + 1
        found |= {row.name: rank for row in equals}
    return found


def check_comparable(rows: Sequence[LeaderboardRow], metric: Metric) -> None:
    """Raise EvaluationError unless all recipes that have the metric were measured under one protocol."""
    scored = [row for row in rows if row.kind == "recipe" and metric.key in row.scores]
    for row in scored[1:]:
        first = scored[0]
        if not row.scores.comparable(first.scores, metric.key):
            names = row.scores.differences(first.scores, metric.key)
            shown = "; ".join(
                f"{name}: {theirs} ({first.name}), {own} ({row.name})" for name, (own, theirs) in names.items()
            )
            raise EvaluationError(
                f"the {metric.title} of '{first.name}' and '{row.name}' was measured under different protocols",
                code="protocols-differ",
                expected="one protocol for all recipes",
                found=shown or "no protocol",
                action="evaluate them again: dvc repro",
            )
