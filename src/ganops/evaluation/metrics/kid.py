"""KID, the kernel Inception distance (Binkowski et al. 2018, arXiv:1801.01401)."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.metric import FEATURES, Metric, MetricGroup, Result, at_the_end, has_features
from ganops.settings import Settings

BLOCKS = 4  # of a symmetric matrix of products: 10 of 16 are computed, each large enough for a processor's full speed
WITNESSES = 5000  # features of each side, at most, that the standard error is computed from


class KIDSettings(Settings):
    """subsets: over which the distance is averaged. subset_size: images of each side in one; fewer where a side is
    smaller.
    """

    subsets: int = Field(default=50, ge=1)
    subset_size: int = Field(default=500, ge=2)


@dataclass(frozen=True)
class KernelDistance:
    """mean and spread (standard deviation) over the subsets.

    error: how far the mean would move (standard deviation) if other images had been generated.
    """

    mean: float
    spread: float
    error: float


def kernel_distance(generated: Tensor, real: Tensor, subsets: int, subset_size: int, seed: int) -> KernelDistance:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3, averaged over random subsets.

    generated: (n, d), real: (m, d). 0 is best; slightly negative values occur, since the estimate is unbiased.
    The subsets are drawn as torch-fidelity draws them, so that equal seeds give equal numbers.
    Raises EvaluationError for fewer images than `subset_size`.
    """
    for name, features in (("generated", generated), ("real", real)):
        if len(features) < subset_size:
            raise EvaluationError(
                f"there are fewer {name} images than one subset has",
                code="too-few-images",
                expected=f"at least {subset_size}",
                found=str(len(features)),
                action="lower subset_size, or use more images",
            )
    if generated.shape[1] != real.shape[1]:
        raise EvaluationError(
            "the features of generated and real images differ in number",
            code="features-differ",
            expected=str(real.shape[1]),
            found=str(generated.shape[1]),
            action="compute both with the same extractor",
        )
    generated, real = _scale(generated), _scale(real)
    generator = np.random.RandomState(seed)
    distances = []
    for _ in range(subsets):
        some, others = (_draw(features, subset_size, generator) for features in (generated, real))
        distances.append(_mmd2(some, others))
    # A single subset is a sample of its own size; many together use all images, and each draw adds chance of its own.
    count, draws = (subset_size, 0.0) if subsets == 1 else (len(generated), float(np.var(distances, ddof=1)) / subsets)
    error = sqrt(_variance(generated, real, count) + draws)
    return KernelDistance(float(np.mean(distances)), float(np.std(distances)), error)


def mmd2(x: Tensor, y: Tensor) -> float:
    """Unbiased estimate of the squared MMD between two sets of features (n, d) and (m, d), n and m at least 2."""
    return _mmd2(_scale(x), _scale(y))


def mmd2_estimate(x: Tensor, y: Tensor) -> Estimate:
    """The same with its standard error over other draws of x."""
    x, y = _scale(x), _scale(y)
    return Estimate(_mmd2(x, y), sqrt(_variance(x, y, len(x))))


def _variance(generated: Tensor, real: Tensor, count: int) -> float:
    """Variance of the squared MMD over draws of `count` generated images against the same real ones.

    It is that of a U-statistic (Hoeffding 1948, "A class of statistics with asymptotically normal distribution"):
    4 / count times the variance of the witness function (the mean kernel with generated minus that with real images),
    plus 2 / count^2 times the variance of the kernel without its row and column means, which alone remains near a
    perfect generator. The witness is estimated from at most WITNESSES images of each side, without an image's kernel
    with itself; the variance that their chance adds is subtracted.
    """
    x, y = generated[:WITNESSES], real[:WITNESSES]
    n = len(x)
    rows, squares = _kernel_rows(x)
    own = rows / (n - 1)
    across = torch.cat([_kernel(each, y).sum(dim=1).double() for each in torch.split(x, 1024)]) / len(y)
    witness = own - across
    mean = float(own.mean())
    centred = max(squares / (n * (n - 1)) - 2 * float(own.square().mean()) + mean**2, 0.0)
    chance = centred * (1 / n + max(1 / len(y) - 1 / len(real), 0.0))
    first = max(float(witness.var()) - chance, 0.0)
    return 4 * first / count + 2 * centred / count**2


def _kernel_rows(x: Tensor) -> tuple[Tensor, float]:
    """(n,) sum of the kernel of each scaled row with all others, and the sum of its squares; symmetric blocks once."""
    parts = torch.tensor_split(torch.arange(len(x)), min(BLOCKS, len(x)))
    rows, squares = torch.zeros(len(x), dtype=torch.float64), 0.0
    for index, part in enumerate(parts):
        kernel = _kernel(x[part], x[part]).fill_diagonal_(0)
        rows[part] += kernel.sum(dim=1).double()
        squares += _sum(kernel.square_())
        for other in parts[:index]:
            kernel = _kernel(x[part], x[other])
            rows[part] += kernel.sum(dim=1).double()
            rows[other] += kernel.sum(dim=0).double()
            squares += 2 * _sum(kernel.square_())
    return rows, squares


def _mmd2(x: Tensor, y: Tensor) -> float:
    n, m = len(x), len(y)
    return _within(x) / (n * (n - 1)) + _within(y) / (m * (m - 1)) - 2 * _sum(_kernel(x, y)) / (n * m)


def _draw(features: Tensor, count: int, generator: np.random.RandomState) -> Tensor:
    return features.index_select(0, torch.from_numpy(generator.choice(len(features), count, replace=False)))


def _scale(features: Tensor) -> Tensor:
    """(n, d) float32 rows whose products are x.y / d."""
    return features.float() / sqrt(features.shape[1])


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    """(n, m): the kernel of each scaled row of x with each of y."""
    kernel: Tensor = (x @ y.T).add_(1).pow_(3)
    return kernel


def _sum(kernel: Tensor) -> float:
    return float(kernel.sum(dim=1).double().sum())


def _within(x: Tensor) -> float:
    """The sum of the kernel over all pairs of two different scaled rows; each pair of blocks is computed once."""
    blocks = torch.tensor_split(x, BLOCKS)
    total = 0.0
    for index, block in enumerate(blocks):
        total += _sum(_kernel(block, block).fill_diagonal_(0))
        total += 2 * sum(_sum(_kernel(block, other)) for other in blocks[:index])
    return total


def _measure(context: EvalContext) -> Result:
    settings = context.settings_of("kid", KIDSettings)
    generated, real = context.compared, context.reals.pairwise_features
    size = max(2, min(settings.subset_size, len(generated), len(real)))
    # Subsets that hold every image are all the same one.
    subsets = 1 if size == len(generated) == len(real) else settings.subsets
    distance = kernel_distance(generated, real, subsets, size, context.seed)
    used = {"subsets": subsets, "subset_size": size, "generated": len(generated), "real": len(real)}
    return Result({"kid": Estimate(distance.mean, distance.error)}, used)


GROUP = MetricGroup(
    "kid",
    (
        Metric(
            "kid",
            "KID",
            "lower",
            "Like FID, without its bias for few images and without assuming Gaussians.",
            headline=True,
            by_features=True,
        ),
    ),
    has_features,
    at_the_end(_measure),
    FEATURES,
    settings=KIDSettings,
)
