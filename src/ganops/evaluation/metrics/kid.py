"""KID, the kernel Inception distance (Binkowski et al. 2018, arXiv:1801.01401)."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_influence
from ganops.evaluation.metric import Group, Score

BLOCKS = 4  # of a symmetric matrix of products: 10 of 16 are computed, each large enough for a processor's full speed


@dataclass(frozen=True)
class KernelDistance:
    """mean and spread (standard deviation) over the subsets; influence (n,) of each generated image on the mean."""

    mean: float
    spread: float
    influence: Tensor


def kernel_distance(generated: Tensor, real: Tensor, subsets: int, subset_size: int, seed: int) -> KernelDistance:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3, averaged over random subsets.

    generated: (n, d), real: (m, d). 0 is best, slightly negative values are possible: the estimate is unbiased.
    The subsets are drawn as torch-fidelity draws them, so that its numbers come out with the same seed.
    Raises EvaluationError for fewer images than `subset_size`.
    """
    for name, features in (("generated", generated), ("real", real)):
        if len(features) < subset_size:
            raise EvaluationError(
                f"too few {name} images for KID",
                expected=f"at least {subset_size}, one subset",
                found=str(len(features)),
                action="lower evaluate.kid_subset_size, or use more images",
            )
    if generated.shape[1] != real.shape[1]:
        raise EvaluationError(
            "the features of generated and real images differ in number",
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
    # The last subset stands for both distributions in what one image changes; the spread over images is what counts.
    rows = torch.split(generated, subset_size)
    witness = torch.cat([_kernel(each, some).mean(dim=1) - _kernel(each, others).mean(dim=1) for each in rows]).double()
    return KernelDistance(float(np.mean(distances)), float(np.std(distances)), 2 * (witness - witness.mean()))


def mmd2(x: Tensor, y: Tensor) -> float:
    """Unbiased estimate of the squared MMD between two sets of features (n, d) and (m, d), n and m at least 2."""
    return _mmd2(_scale(x), _scale(y))


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
    """The sum of the kernel over all pairs of two different scaled rows; of two blocks of rows both ways are one."""
    blocks = torch.tensor_split(x, BLOCKS)
    total = 0.0
    for index, block in enumerate(blocks):
        total += _sum(_kernel(block, block).fill_diagonal_(0))
        total += 2 * sum(_sum(_kernel(block, other)) for other in blocks[:index])
    return total


def _measure(case: EvalContext) -> dict[str, Estimate]:
    protocol = case.protocol
    distance = kernel_distance(
        case.compared, case.real.pairwise_features, protocol.kid_subsets, protocol.kid_subset_size, protocol.seed
    )
    return {"kid": from_influence(distance.mean, distance.influence)}


GROUP = Group(
    "kid",
    (Score("kid", "KID", "lower", "Like FID, without its bias for few images and without assuming Gaussians."),),
    _measure,
)
