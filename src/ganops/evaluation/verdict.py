"""Whether one score is better than another: better, worse, or too close to tell."""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, inf, sqrt
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

    Both must have been measured under one protocol. Errors that were estimated from few seeds are themselves uncertain:
    the margin is that of Student's t with Welch's degrees of freedom (Welch 1947, "The generalization of Student's
    problem when several different population variances are involved"), for as rare a chance as `sigmas` standard
    errors of a normal distribution.
    """
    difference = incumbent.value - candidate.value if better == "lower" else candidate.value - incumbent.value
    variances = [(each.error or 0.0) ** 2 for each in (candidate, incumbent)]
    freedom = _welch(variances, [each.freedom or inf for each in (candidate, incumbent)])
    if abs(difference) <= _quantile(sigmas, freedom) * sqrt(sum(variances)):
        return "cannot tell"
    return "better" if difference > 0 else "worse"


def _welch(variances: Sequence[float], freedoms: Sequence[float]) -> float:
    """Degrees of freedom of the difference of two means, by Welch and Satterthwaite; infinite for known variances."""
    uncertainty = sum(variance**2 / freedom for variance, freedom in zip(variances, freedoms, strict=True))
    return sum(variances) ** 2 / uncertainty if uncertainty > 0 else inf


def _quantile(sigmas: float, freedom: float) -> float:
    """What |t| exceeds as rarely as a normal deviate exceeds `sigmas`."""
    if freedom == inf or sigmas == 0:
        return sigmas
    from scipy.special import stdtrit

    return float(-stdtrit(freedom, erfc(sigmas / sqrt(2)) / 2))


def pool(seeds: Sequence[Estimate]) -> Estimate:
    """Several trainings of one recipe as one candidate: their mean, with the spread between them as its error.

    The error of the mean of k seeds is the larger of stdev / sqrt(k), which has k - 1 degrees of freedom, and what the
    seeds' own errors leave. Raises EvaluationError for none.
    """
    if not seeds:
        raise EvaluationError("there are no scores to average", code="no-scores", expected="at least one seed")
    own = sqrt(sum((seed.error or 0.0) ** 2 for seed in seeds)) / len(seeds)
    between = stdev(seed.value for seed in seeds) / sqrt(len(seeds)) if len(seeds) > 1 else 0.0
    freedom = float(len(seeds) - 1) if len(seeds) > 1 else None
    return Estimate(fmean(seed.value for seed in seeds), max(own, between), freedom)
