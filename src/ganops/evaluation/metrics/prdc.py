"""Precision, recall, density and coverage: how many images fall into the neighbourhoods of the other side's.

Precision and recall: Kynkaanniemi et al. 2019, arXiv:1904.06991. Density and coverage: Naeem et al. 2020,
arXiv:2002.09797. A neighbourhood is the ball around an image that just reaches its k-th nearest of the same side.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_mean, from_share
from ganops.evaluation.knn import BLOCK_BYTES, KNNIndex
from ganops.evaluation.metric import Group, Score


@dataclass(frozen=True)
class Manifolds:
    """What is found of each image, from whose means the four scores are made.

    precise (n,): the generated image lies in the neighbourhood of some real one; dense (n,): in how many, over k.
    recalled (m,): the real image lies in the neighbourhood of some generated one; covered (m,): its neighbourhood
    holds a generated one. All float32.
    """

    precise: Tensor
    dense: Tensor
    recalled: Tensor
    covered: Tensor


def manifolds(
    generated: Tensor, real: Tensor, k: int, real_radii: Tensor | None = None, block_bytes: int = BLOCK_BYTES
) -> Manifolds:
    """Compare generated (n, d) with real (m, d) features; memory is bounded by blocks of `block_bytes`.

    real_radii: (m,) distance of each real feature to its k-th nearest other, where it is known already.
    Raises EvaluationError where a side has not more than k images, and where the numbers of features differ.
    """
    if generated.shape[1] != real.shape[1] or min(len(generated), len(real)) <= k:
        raise EvaluationError(
            "too few images for precision and recall, or of different features",
            expected=f"more than {k} images on both sides, and the same number of features",
            found=f"generated {tuple(generated.shape)}, real {tuple(real.shape)}",
            action="use more images, or lower evaluate.neighbours",
        )
    balls = KNNIndex(real, block_bytes)
    real_squares = (balls.kth_distances(k) if real_radii is None else real_radii).square()
    generated_squares = KNNIndex(generated, block_bytes).kth_distances(k).square()
    dense = torch.empty(len(generated))
    recalled = torch.zeros(len(real), dtype=torch.bool)
    closest = torch.full((len(real),), torch.inf)
    for part, squares in balls.blocks(generated):
        # Bytes are counted several times faster than booleans.
        dense[part] = (squares <= real_squares).view(torch.uint8).sum(dim=1, dtype=torch.int32) / k
        recalled |= (squares <= generated_squares[part].unsqueeze(1)).any(dim=0)
        closest = torch.minimum(closest, squares.amin(dim=0))
    return Manifolds((dense > 0).float(), dense, recalled.float(), (closest <= real_squares).float())


def manifolds_of(case: EvalContext) -> Manifolds:
    """The manifolds of a case; for `EvalContext.once`."""
    return manifolds(case.compared, case.real.pairwise_features, case.protocol.neighbours, case.real.kth_distances)


def _measure(case: EvalContext) -> dict[str, Estimate]:
    found = case.once(manifolds_of)
    return {
        "precision": from_share(found.precise),
        "recall": from_share(found.recalled),
        "density": from_mean(found.dense),
        "coverage": from_share(found.covered),
    }


GROUP = Group(
    "prdc",
    (
        Score("precision", "Precision", "higher", "The share of generated images that look like real ones."),
        Score("recall", "Recall", "higher", "The share of real images that the generator could have made."),
        Score("density", "Density", "higher", "Like precision, counting how many real images lie near; may exceed 1."),
        Score("coverage", "Coverage", "higher", "The share of real images that have a generated one nearby."),
    ),
    _measure,
)
