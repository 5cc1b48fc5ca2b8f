"""Memorisation: do generated images lie closer to training images than unseen real ones do?

The rank test of Meehan, Chaudhuri and Dasgupta 2020, arXiv:2004.05675, over the whole space.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt

import torch
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.metric import FEATURES, Metric, MetricGroup, Result, at_the_end, has_features

FEWEST_HELD_OUT = 20  # below, not even complete separation gives a p-value that says much


@dataclass(frozen=True)
class RankTest:
    """closer (n,): for each generated image the share of held-out images that lie farther from the training images;
    error: standard error of its mean, for other generated and other held-out images;
    p_value: how likely generated images would lie so close if both came from one distribution."""

    closer: Tensor
    error: float
    p_value: float


def rank_test(generated: Tensor, held_out: Tensor) -> RankTest:
    """Mann and Whitney's test on distances to the nearest training image, of generated (n,) and held-out (t,) images.

    The mean of `closer` is 0.5 where the generator behaves as new real images do, and 1 where it copies. Its variance
    is that of a two-sample U-statistic (DeLong et al. 1988, "Comparing the areas under two or more correlated receiver
    operating characteristic curves").
    Raises EvaluationError for fewer than 20 held-out images.
    """
    if len(held_out) < FEWEST_HELD_OUT:
        raise EvaluationError(
            "there are too few test images to tell whether the generator copies",
            code="too-few-held-out",
            expected=f"at least {FEWEST_HELD_OUT}",
            found=str(len(held_out)),
            action="raise data.test_share, or leave memorisation out of evaluate.metrics",
        )
    closer, farther = 1 - _rank(generated, held_out), _rank(held_out, generated)
    error = sqrt(sum(float(shares.var()) / len(shares) for shares in (closer, farther)))
    return RankTest(closer, error, _p_value(generated, held_out, float(closer.mean())))


def _rank(distances: Tensor, others: Tensor) -> Tensor:
    """For each distance the share of `others` below it; equal ones count half."""
    ranked = others.sort().values
    counts = [torch.searchsorted(ranked, distances, right=right) for right in (False, True)]
    return (counts[0] + counts[1]).double() / (2 * len(ranked))


def _p_value(generated: Tensor, held_out: Tensor, closer: float) -> float:
    """One-sided, by the normal approximation with corrections for ties and continuity (Mann and Whitney 1947)."""
    n, m = len(generated), len(held_out)
    _, counts = torch.unique(torch.cat([generated, held_out]), return_counts=True)
    ties = counts.double()
    variance = n * m / 12 * (n + m + 1 - float((ties**3 - ties).sum()) / ((n + m) * (n + m - 1)))
    if variance <= 0:  # all distances are one and the same
        return 1.0
    above = n * m * (1 - closer)  # pairs in which the generated image is the farther one
    return 0.5 * erfc(-(above - n * m / 2 + 0.5) / sqrt(2 * variance))


def _measure(context: EvalContext) -> Result:
    assert context.closest is not None
    test = rank_test(context.closest.distances, context.reals.held_out)
    memorisation = Estimate(float(test.closer.mean()), test.error)
    values = {"memorisation": memorisation, "memorisation_p": Estimate(test.p_value, None)}
    return Result(values, {"held_out": len(context.reals.held_out)})


GROUP = MetricGroup(
    "memorisation",
    (
        Metric(
            "memorisation",
            "Memorisation",
            "lower",
            "How often a generated image is closer to a training image than a test image is: 0.5 is right, 1 copies.",
        ),
        Metric("memorisation_p", "p of memorisation", "higher", "How likely this would be if nothing had been copied."),
    ),
    has_features,
    at_the_end(_measure),
    FEATURES,
    fewest_test=FEWEST_HELD_OUT,
    validates=False,
)
