"""Which recipe won, and why: a pure function of the leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isinf

from ganops.errors import EvaluationError
from ganops.reporting.leaderboard import Row, common_protocol, ranked
from ganops.reporting.scores import ShownScore, compare, describe, number


@dataclass(frozen=True)
class Winner:
    """The best recipe by `score` (a key of metrics.json), its value, and the reason in one sentence."""

    recipe: str
    score: str
    value: float
    why: str


def choose_winner(rows: Sequence[Row], score: str) -> Winner:
    """The healthy recipe with the best value; among equals the one with fewer parameters, then the one given first.

    Raises EvaluationError when the protocols differ, when the score has no direction, or when no recipe can win.
    """
    common_protocol(rows)
    meaning = describe(score)
    if meaning.better is None:
        raise EvaluationError(
            f"score '{score}' cannot choose a winner", expected="a score of which more or less is better"
        )
    excluded = {row.recipe: reason for row in rows if (reason := _reason_against(row, meaning))}
    candidates = ranked([row for row in rows if row.recipe not in excluded], meaning)
    if not candidates:
        raise EvaluationError(
            "no recipe can win",
            expected=f"at least one healthy recipe with a {meaning.title}",
            found="; ".join(f"{recipe} {reason}" for recipe, reason in excluded.items()) or "no recipes",
            action="look at the curves in MLflow, change the recipe (a lower learning rate), and run dvc repro",
        )
    value = candidates[0].scores[score]
    equals = [row for row in candidates if row.scores[score] == value]
    best = min(equals, key=lambda row: sum(row.parameters.values()))
    rest = [row for row in candidates if row is not best]
    why = _why(best, rest, meaning)
    if best.seeds:
        why += f"; its scores are means of {len(best.seeds)} seeds ({', '.join(best.seeds)}), of which it is the best"
    if excluded:
        why += "; " + ", ".join(f"{recipe} could not win, as it {reason}" for recipe, reason in excluded.items())
    return Winner(best.recipe, score, value, why + ".")


def _reason_against(row: Row, score: ShownScore) -> str:
    if row.sick:
        return "fell sick in training"
    return f"has no {score.title}" if isinf(score.distance_from_best(row.scores)) else ""


def _why(best: Row, rest: Sequence[Row], score: ShownScore) -> str:
    value = best.scores[score.key]
    shown = f"{score.title} {score.show(best.scores)}"
    if not rest:
        return f"{best.recipe} is the only recipe that can be ranked: {shown}"
    second = rest[0]
    other = second.scores[score.key]
    if other == value:
        smaller = sum(best.parameters.values()) < sum(second.parameters.values())
        reason = "has fewer parameters" if smaller else "stands first in params.yaml"
        return f"{best.recipe} and {second.recipe} share the best {shown}, and {best.recipe} {reason}"
    margin = abs(value - other)
    # A share means something only between numbers above zero: KID may be negative.
    share = f" ({margin / other:.0%})" if value > 0 and other > 0 else ""
    superlative, side = ("lowest", "below") if score.better == "lower" else ("highest", "above")
    verdict = compare(score, best.scores, second.scores)
    why = f"{best.recipe} has the {superlative} {shown}, {number(margin)}{share} {side} {second.recipe}, the next one"
    return why + (", although so few samples cannot tell the two apart" if verdict == "cannot tell" else "")
