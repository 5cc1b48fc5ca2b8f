"""What each recipe achieved, read from the results of training and evaluation, best first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganops.errors import EvaluationError
from ganops.reporting.scores import ShownScore


@dataclass(frozen=True)
class Row:
    """One recipe on the leaderboard.

    scores: all of metrics.json. protocol: all of protocol.json, `digest` among it; empty without scores.
    images_per_second: real images shown to the discriminator. parameters: of each network.
    health_events: what the health watch saw, in words. sick: the training ended sick, so the recipe cannot win.
    seeds: the trainings, best first, whose scores are pooled here; empty where it is a single one.
    """

    recipe: str
    scores: Mapping[str, float]
    protocol: Mapping[str, Any]
    images_per_second: float
    minutes: float
    parameters: Mapping[str, int]
    steps: int
    sick: bool = False
    health_events: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()

    @property
    def health(self) -> str:
        """One word, or two."""
        if self.sick:
            return "sick"
        warnings = len(self.health_events)
        return f"{warnings} warning{'s' if warnings > 1 else ''}" if warnings else "healthy"


def read_row(results: Path, recipe: str) -> Row:
    """Read results/train/<recipe>/training.json and results/evaluate/<recipe>/{metrics,protocol}.json.

    A sick recipe may lack scores. Raises EvaluationError when a file is missing or damaged otherwise.
    """
    path = results / "train" / recipe / "training.json"
    training = read_json(path, f"dvc repro train@{recipe}")
    evaluated = results / "evaluate" / recipe
    action = f"dvc repro evaluate@{recipe}"
    sick = training.get("sick") is True
    unscored = sick and not (evaluated / "metrics.json").exists()
    scores = {} if unscored else read_json(evaluated / "metrics.json", action)
    protocol = {} if unscored else read_json(evaluated / "protocol.json", action)
    if not unscored and not isinstance(protocol.get("digest"), str):
        raise EvaluationError(f"{evaluated / 'protocol.json'} has no digest", action=f"run: {action}")
    try:
        return Row(
            recipe=recipe,
            scores={key: float(value) for key, value in scores.items() if value is not None},
            protocol=protocol,
            images_per_second=float(training["images_per_second"]),
            minutes=float(training["seconds"]) / 60,
            parameters={network: int(count) for network, count in training["parameters"].items()},
            steps=int(training["steps"]),
            sick=sick,
            health_events=tuple(_in_words(event) for event in training["health_events"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvaluationError(
            f"the results of recipe '{recipe}' are damaged",
            expected=f"numbers in {path} and {evaluated / 'metrics.json'}",
            found=f"{type(error).__name__}: {error}",
            action=f"run: dvc repro --force train@{recipe} evaluate@{recipe}",
        ) from error


def _in_words(event: Mapping[str, Any]) -> str:
    return f"step {event['step']:,}: {event['kind']}: {event['detail']}"


def read_json(path: Path, command: str) -> dict[str, Any]:
    """A JSON object; raises EvaluationError naming the command that makes the file when it is missing or damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EvaluationError(f"{path} is missing", action=f"run: {command}") from None
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path} cannot be read", found=str(error), action=f"run: {command}") from error
    if not isinstance(value, dict):
        raise EvaluationError(f"{path} is no JSON object", found=type(value).__name__, action=f"run: {command}")
    return value


def ranked(rows: Sequence[Row], score: ShownScore) -> list[Row]:
    """Best first; recipes without a value follow, sick ones come last, each in their given order."""
    return sorted(rows, key=lambda row: (row.sick, score.distance_from_best(row.scores)))


def common_protocol(rows: Sequence[Row]) -> Mapping[str, Any]:
    """The one protocol of all rows that have scores.

    Raises EvaluationError when there are several: scores of different protocols say nothing about each other.
    """
    protocols = {row.recipe: row.protocol for row in rows if row.protocol}
    if len({protocol["digest"] for protocol in protocols.values()}) <= 1:
        return next(iter(protocols.values()), {})
    keys = sorted(set().union(*protocols.values()) - {"digest"})
    differing = [key for key in keys if len({repr(protocol.get(key)) for protocol in protocols.values()}) > 1]
    found = "; ".join(
        f"{recipe}: " + ", ".join(f"{key} {protocol.get(key)}" for key in differing or ["digest"])
        for recipe, protocol in protocols.items()
    )
    raise EvaluationError(
        "the recipes were scored under different protocols, so their scores cannot be compared",
        expected="one protocol",
        found=found,
        action="evaluate them anew: dvc repro",
    )
