"""Whether one score is better than another: better, worse, or too close to tell."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Literal

from ganops.errors import EvaluationError
from ganops.evaluation.estimate import Estimate

Verdict = Literal["better", "worse", "cannot tell"]
SIGMAS = 2.0  # standard errors of the difference; chance alone exceeds 2 in one comparison of twenty


def judge(
    candidate: Estimate, incumbent: Estimate, better: Literal["lower", "higher"], sigmas: float = SIGMAS
) -> Verdict:
    """Compare two scores by their difference against its standard error; a score without an error is taken as exact.

    Both must have been measured under one protocol.
    """
    difference = incumbent.value - candidate.value if better == "lower" else candidate.value - incumbent.value
    margin = sigmas * sqrt((candidate.error or 0.0) ** 2 + (incumbent.error or 0.0) ** 2)
    if abs(difference) <= margin:
        return "cannot tell"
    return "better" if difference > 0 else "worse"


def pool(seeds: Sequence[Estimate]) -> Estimate:
    """Several trainings of one recipe as one candidate: their mean, with the spread between them as its error.

    The error of the mean of k seeds is the larger of stdev / sqrt(k) and what the seeds' own errors leave.
    Raises EvaluationError for none.
    """
    if not seeds:
        raise EvaluationError("there are no scores to average", code="no-scores", expected="at least one seed")
    own = sqrt(sum((seed.error or 0.0) ** 2 for seed in seeds)) / len(seeds)
    between = stdev(seed.value for seed in seeds) / sqrt(len(seeds)) if len(seeds) > 1 else 0.0
    return Estimate(fmean(seed.value for seed in seeds), max(own, between))
