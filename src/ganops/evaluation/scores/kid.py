"""KID, the kernel Inception distance (Binkowski et al. 2018, arXiv:1801.01401)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.case import Case
from ganops.evaluation.estimate import Estimate, from_influence
from ganops.evaluation.score import Group, Score


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
            action="compute both with the same backbone",
        )
    generator = np.random.RandomState(seed)
    distances = []
    for _ in range(subsets):
        some = torch.from_numpy(generator.choice(len(generated), subset_size, replace=False))
        others = torch.from_numpy(generator.choice(len(real), subset_size, replace=False))
        distances.append(mmd2(generated[some], real[others]))
    # The last subset stands for both distributions in what one image changes; the spread over images is what counts.
    witness = kernel(generated, generated[some]).mean(dim=1) - kernel(generated, real[others]).mean(dim=1)
    return KernelDistance(float(np.mean(distances)), float(np.std(distances)), 2 * (witness - witness.mean()))


def mmd2(x: Tensor, y: Tensor) -> float:
    """Unbiased estimate of the squared MMD between two sets of features (n, d) and (m, d), n and m at least 2."""
    n, m = len(x), len(y)
    within_x, within_y = kernel(x, x), kernel(y, y)
    sum_x, sum_y = (float(_sum(within) - _sum(within.diagonal())) for within in (within_x, within_y))
    return sum_x / (n * (n - 1)) + sum_y / (m * (m - 1)) - 2 * float(_sum(kernel(x, y))) / (n * m)


def kernel(x: Tensor, y: Tensor) -> Tensor:
    """(n, m) float32 polynomial kernel (x.y / d + 1)^3."""
    # numpy sees where both factors are one matrix and computes half of the symmetric product; torch does not.
    values = torch.from_numpy(x.float().numpy() @ y.float().numpy().T)
    values.div_(x.shape[1]).add_(1)
    return values.square().mul_(values)


def _sum(values: Tensor) -> Tensor:
    return values.sum(dtype=torch.float64)


def _measure(case: Case) -> dict[str, Estimate]:
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
