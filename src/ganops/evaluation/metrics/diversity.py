"""Diversity: how far apart generated images are from each other, against how far apart real ones are."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_influence
from ganops.evaluation.metric import Group, Score

PARTNERS = 10  # each image is compared with so many others; more would change the third digit


def spread(features: Tensor, seed: int, partners: int = PARTNERS) -> Tensor:
    """(n,) mean distance of each of the features (n, d) to `partners` others drawn at random."""
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))
    shuffled = features[order]
    shifts = range(1, min(partners, len(features) - 1) + 1)
    distances = torch.stack([(shuffled - shuffled.roll(shift, dims=0)).norm(dim=1) for shift in shifts]).mean(dim=0)
    return torch.empty_like(distances).scatter_(0, order, distances)


def _measure(case: EvalContext) -> dict[str, Estimate]:
    generated = spread(case.compared, case.protocol.seed).double()
    real = float(spread(case.real.pairwise_features, case.protocol.seed).double().mean())
    # Each image is in the mean with its own distances and with those of its partners.
    return {"diversity": from_influence(float(generated.mean()) / real, 2 * generated / real)}


GROUP = Group(
    "diversity",
    (
        Score(
            "diversity",
            "Diversity",
            None,
            "How far apart generated images are, against real ones: 1 is alike, below 1 less diverse, above 1 more.",
        ),
    ),
    _measure,
)
