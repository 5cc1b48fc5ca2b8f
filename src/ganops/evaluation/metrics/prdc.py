"""Precision, recall, density and coverage: how many images fall into the neighbourhoods of the other side's.

Precision and recall: Kynkaanniemi et al. 2019, arXiv:1904.06991. Density and coverage: Naeem et al. 2020,
arXiv:2002.09797. A neighbourhood is the ball around an image that just reaches its k-th nearest of the same side.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_mean, from_share
from ganops.evaluation.knn import BLOCK_BYTES, KNNIndex
from ganops.evaluation.metric import FEATURES, Metric, MetricGroup, Result, at_the_end, has_features
from ganops.settings import Settings


class PRDCSettings(Settings):
    """neighbours: k of the k nearest neighbours; fewer where a side has not more images."""

    neighbours: int = Field(default=5, ge=1)


@dataclass(frozen=True)
class Manifolds:
    """What is found for each image; the four scores are means of these.

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
    Raises EvaluationError where a side has k images or fewer, and where the numbers of features differ.
    """
    if generated.shape[1] != real.shape[1] or min(len(generated), len(real)) <= k:
        raise EvaluationError(
            "there are too few images for precision and recall, or their features differ in number",
            code="too-few-images",
            expected=f"more than {k} images on both sides, and the same number of features",
            found=f"generated {tuple(generated.shape)}, real {tuple(real.shape)}",
            action="use more images, or fewer neighbours",
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


def neighbours_of(context: EvalContext) -> int:
    """k as used: smaller than either side."""
    fewest = min(len(context.compared), len(context.reals.pairwise))
    return max(1, min(context.settings_of("prdc", PRDCSettings).neighbours, fewest - 1))


def manifolds_of(context: EvalContext) -> Manifolds:
    """The manifolds of both sides; for `EvalContext.cached`."""
    k = neighbours_of(context)
    return manifolds(context.compared, context.reals.pairwise_features, k, context.reals.kth_distances(k))


def _measure(context: EvalContext) -> Result:
    found = context.cached(manifolds_of)
    used = {
        "neighbours": neighbours_of(context),
        "generated": len(context.compared),
        "real": len(context.reals.pairwise),
    }
    scores = {
        "precision": from_share(found.precise),
        "recall": from_share(found.recalled),
        "density": from_mean(found.dense),
        "coverage": from_share(found.covered),
    }
    return Result(scores, used)


GROUP = MetricGroup(
    "prdc",
    (
        Metric("precision", "Precision", "higher", "The share of generated images that look like real ones.", True),
        Metric("recall", "Recall", "higher", "The share of real images that the generator could have made.", True),
        Metric("density", "Density", "higher", "Like precision, counting how many real images lie near; may exceed 1."),
        Metric("coverage", "Coverage", "higher", "The share of real images that have a generated one nearby."),
    ),
    has_features,
    at_the_end(_measure),
    FEATURES,
    settings=PRDCSettings,
)
