"""Which recipe won, and why: a pure function of the leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf
from typing import Any

from ganops.errors import EvaluationError
from ganops.evaluation.metric import Metric
from ganops.reporting.leaderboard import LeaderboardRow, check_comparable, ranked
from ganops.reporting.scores import compare, number, show, sort_key


@dataclass(frozen=True)
class Winner:
    """The best recipe by `metric`, and the reason in one or two sentences."""

    row: LeaderboardRow
    metric: Metric
    why: str

    @property
    def recipe(self) -> str:
        """Its name; of several seeds that of the best."""
        return self.row.name

    @property
    def value(self) -> float:
        """By which it won: a mean where it has several seeds."""
        return self.row.scores[self.metric.key].value

    def dump(self) -> dict[str, Any]:
        """The content of winner.json."""
        return {
            "recipe": self.recipe,
            "metric": self.metric.key,
            "value": self.value,
            "why": self.why,
            "seeds": list(self.row.seeds),
            "mean": None if self.row.mean is None else self.row.mean.dump(),
        }


def choose_winner(rows: Sequence[LeaderboardRow], metric: Metric) -> Winner:
    """The healthy recipe with the best value; among equals the one with fewer parameters, then the one given first.

    Raises EvaluationError when the recipes' protocols of the metric differ, when neither side of it is the better one,
    or when no recipe can win.
    """
    check_comparable(rows, metric)
    if metric.better is None:
        raise EvaluationError(
            f"the metric '{metric.key}' cannot choose a winner",
            code="metric-without-direction",
            expected="a metric of which a lower or a higher value is better",
            found=metric.key,
            action="set compare.metric to another one",
        )
    recipes = [row for row in rows if row.kind == "recipe"]
    excluded = {row.name: reason for row in recipes if (reason := _reason_against(row, metric))}
    candidates = ranked([row for row in recipes if row.name not in excluded], metric)
    if not candidates:
        raise EvaluationError(
            "no recipe can win",
            code="no-winner",
            expected=f"at least one healthy recipe with a value of {metric.title}",
            found="; ".join(f"{recipe} {reason}" for recipe, reason in excluded.items()) or "no recipes",
            action="look at the curves in MLflow, change the recipe (a lower learning rate), and run dvc repro",
        )
    first = sort_key(metric, candidates[0].scores)
    equals = [row for row in candidates if sort_key(metric, row.scores) == first]
    best = min(equals, key=lambda row: row.parameter_count)
    sentences = [_why(best, [row for row in candidates if row is not best], metric)]
    if best.seeds:
        names = ", ".join(best.seeds)
        sentences.append(f"Its scores are means over {len(best.seeds)} seeds ({names}); {best.name} is the best one")
    elif len(candidates) > 1:
        sentences.append("Each recipe was trained once, so this compares these models, not the recipes")
    sentences += [f"{recipe} could not win: it {reason}" for recipe, reason in excluded.items()]
    return Winner(best, metric, ". ".join(sentences) + ".")


def _reason_against(row: LeaderboardRow, metric: Metric) -> str:
    if row.unhealthy:
        return "became unhealthy in training"
    return f"has no {metric.title}" if isinf(sort_key(metric, row.scores)) else ""


def _why(best: LeaderboardRow, rest: Sequence[LeaderboardRow], metric: Metric) -> str:
    value = best.scores[metric.key].value
    shown = f"{metric.title}, {show(best.scores[metric.key])}"
    if not rest:
        return f"{best.name} is the only recipe that can be ranked: {shown}"
    second = rest[0]
    other = second.scores[metric.key].value
    if other == value:
        smaller = best.parameter_count < second.parameter_count
        reason = "has fewer parameters" if smaller else "is listed first in params.yaml"
        return f"{best.name} and {second.name} share the best {shown}, and {best.name} {reason}"
    margin = abs(value - other)
    # A share is meaningful only between positive numbers: KID may be negative.
    share = f" ({margin / other:.0%})" if value > 0 and other > 0 else ""
    superlative, side = ("lowest", "below") if metric.better == "lower" else ("highest", "above")
    why = f"{best.name} has the {superlative} {shown}: {number(margin)}{share} {side} {second.name}, the next one"
    if compare(metric, best.scores, second.scores) == "cannot tell":
        return why + ". The difference is within its uncertainty"
    return why
