"""A score together with how far it would move if other images had been drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt

from torch import Tensor

from ganops.errors import EvaluationError


@dataclass(frozen=True)
class Estimate:
    """value: the score; error: its standard error in the score's own unit, None where it has none.

    freedom: degrees of freedom that the error was estimated with, where they are few: one less than the number of
        seeds, for a mean over seeds. None: many, as for errors that come from thousands of images.
    """

    value: float
    error: float | None
    freedom: float | None = None

    def __post_init__(self) -> None:
        if not (isfinite(self.value) and (self.error is None or isfinite(self.error))):
            raise EvaluationError(
                "a score is not finite",
                code="score-not-finite",
                found=f"{self.value} with standard error {self.error}",
                action="look at the generated images; a broken generator may give extreme features",
            )


def from_influence(value: float, influence: Tensor) -> Estimate:
    """An estimate whose error comes from the influence (n,) of each generated image on the score.

    The influence is the score's derivative for a little more weight on that image. Its spread over sqrt(n) is the
    infinitesimal jackknife, which is what the bootstrap tends to for many resamples, at the cost of one pass
    (Jaeckel 1972; Efron 1982, "The jackknife, the bootstrap and other resampling plans", chapter 6).
    """
    return Estimate(value, float(influence.double().std()) / sqrt(len(influence)))


def from_mean(values: Tensor) -> Estimate:
    """The mean of one value per image (n,), with its standard error."""
    return from_influence(float(values.double().mean()), values)


def from_share(holds: Tensor) -> Estimate:
    """The share of images (n,) for which something holds (1, else 0)."""
    share = float(holds.double().mean())
    return Estimate(share, share_error(share, len(holds)))


def share_error(share: float, count: int) -> float:
    """Standard error of a share of `count` images.

    As if there were two more images for which it holds and two for which it does not (Agresti and Coull 1998,
    "Approximate is better than exact for interval estimation of binomial proportions"), so that shares of exactly 0 and
    1 have an error as well.
    """
    likely = (share * count + 2) / (count + 4)
    return sqrt(likely * (1 - likely) / (count + 4))
