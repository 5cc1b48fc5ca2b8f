"""How a score is written for people, and how recipes are ordered by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, inf, isfinite, log10
from typing import Literal

from ganops.evaluation.estimate import Estimate
from ganops.evaluation.metric import all_scores
from ganops.evaluation.verdict import Verdict, judge

HEADLINE_SCORES = ("fid", "is", "kid")
MISSING = "-"
ERROR_SUFFIX = "_error"
ARROWS: dict[str | None, str] = {"lower": "↓", "higher": "↑", None: ""}


@dataclass(frozen=True)
class ShownScore:
    """One score of metrics.json: `key` there, `<key>_error` its standard error where there is one.

    better: which way; None for a number of which evaluation says nothing: it is shown, but chooses no winner.
    """

    key: str
    title: str
    better: Literal["lower", "higher"] | None = None
    sentence: str = ""

    @property
    def heading(self) -> str:
        """Title and an arrow that points to where it is better."""
        return f"{self.title} {ARROWS[self.better]}".strip()

    def value(self, scores: Mapping[str, float]) -> float | None:
        """The value among `scores`; None where it is missing, NaN or infinite."""
        return _finite(scores.get(self.key))

    def error(self, scores: Mapping[str, float]) -> float | None:
        """Its standard error among `scores`; None where it is missing, NaN or infinite."""
        return _finite(scores.get(self.key + ERROR_SUFFIX))

    def show(self, scores: Mapping[str, float]) -> str:
        """As many digits as the standard error allows (12.31 ± 0.42), else four; counts as such; a dash for none."""
        value, error = self.value(scores), self.error(scores)
        if value is None:
            return MISSING
        if error is None or error <= 0:
            return f"{value:,.0f}" if value.is_integer() else number(value)
        decimals = max(0, 1 - floor(log10(error)))
        return f"{value:,.{decimals}f} ± {error:,.{decimals}f}"

    def distance_from_best(self, scores: Mapping[str, float]) -> float:
        """A number that sorts: the smaller, the better; infinite for a missing value or a score without a direction."""
        value = self.value(scores)
        if value is None or self.better is None:
            return inf
        return value if self.better == "lower" else -value


def compare(score: ShownScore, candidate: Mapping[str, float], incumbent: Mapping[str, float]) -> Verdict | None:
    """Whether the candidate's score is better than the incumbent's, both measured under one protocol.

    None where one of them is missing, or where no side of the score is the better one.
    """
    one, other = score.value(candidate), score.value(incumbent)
    if one is None or other is None or score.better is None:
        return None
    estimates = Estimate(one, score.error(candidate)), Estimate(other, score.error(incumbent))
    return judge(*estimates, better=score.better)


def number(value: float) -> str:
    """Four digits: 12.31, 0.002100, 1,234."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.4g}"


def describe(key: str) -> ShownScore:
    """The score called `key` in metrics.json, as evaluation describes it."""
    score = all_scores().get(key)
    return (
        ShownScore(key, score.title, score.better, score.sentence) if score else ShownScore(key, key.replace("_", " "))
    )


def in_order(keys: set[str]) -> list[ShownScore]:
    """The scores of these keys: FID, IS and KID, evaluation's others, unknown ones; errors belong to their score."""
    errors = {key for key in keys if key.endswith(ERROR_SUFFIX) and key.removesuffix(ERROR_SUFFIX) in keys}
    order = dict.fromkeys([*HEADLINE_SCORES, *all_scores(), *sorted(keys - errors)])
    return [describe(key) for key in order if key in keys - errors]


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
