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
    generated, real = _lift(generated), _lift(real)
    generator = np.random.RandomState(seed)
    distances = []
    for _ in range(subsets):
        some = torch.from_numpy(generator.choice(len(generated), subset_size, replace=False))
        others = torch.from_numpy(generator.choice(len(real), subset_size, replace=False))
        distances.append(_mmd2(generated[some], real[others]))
    # The last subset stands for both distributions in what one image changes; the spread over images is what counts.
    witness = (_sums(generated, generated[some]) - _sums(generated, real[others])) / subset_size
    return KernelDistance(float(np.mean(distances)), float(np.std(distances)), 2 * (witness - witness.mean()))


def mmd2(x: Tensor, y: Tensor) -> float:
    """Unbiased estimate of the squared MMD between two sets of features (n, d) and (m, d), n and m at least 2."""
    return _mmd2(_lift(x), _lift(y))


def _mmd2(x: Tensor, y: Tensor) -> float:
    n, m = len(x), len(y)
    within_x, within_y = (float((_sums(side, side) - _itself(side)).sum()) for side in (x, y))
    return within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * float(_sums(x, y).sum()) / (n * m)


def _lift(features: Tensor) -> Tensor:
    """(n, d + 1) float32 rows whose products are x.y / d + 1, so that matrix products come out ready to be cubed."""
    scaled = features.float() / features.shape[1] ** 0.5
    return torch.cat([scaled, torch.ones(len(scaled), 1)], dim=1)


def _sums(x: Tensor, y: Tensor) -> Tensor:
    """(n,) float64: of each lifted row of x the sum of its kernel with all of y."""
    # numpy sees where both factors are one matrix and computes half of the symmetric product; torch does not.
    products = torch.from_numpy(x.numpy() @ y.numpy().T)
    sums: Tensor = torch.linalg.vecdot(products.square(), products)
    return sums.double()


def _itself(x: Tensor) -> Tensor:
    """(n,) float64: the kernel of each lifted row with itself."""
    return x.double().square().sum(dim=1).pow(3)


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
