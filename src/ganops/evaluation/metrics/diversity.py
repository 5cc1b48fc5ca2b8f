"""Diversity: how far apart generated images are from each other, against how far apart real ones are."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_influence
from ganops.evaluation.metric import FEATURES, Metric, MetricGroup, Result, at_the_end, has_features

PARTNERS = 10  # images that each one is compared with; more would change the third digit


def spread(features: Tensor, seed: int, partners: int = PARTNERS) -> Tensor:
    """(n,) mean distance of each of the features (n, d) to `partners` others drawn at random."""
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))
    shuffled = features[order]
    shifts = range(1, min(partners, len(features) - 1) + 1)
    distances = torch.stack([(shuffled - shuffled.roll(shift, dims=0)).norm(dim=1) for shift in shifts]).mean(dim=0)
    return torch.empty_like(distances).scatter_(0, order, distances)


def _measure(context: EvalContext) -> Result:
    generated = spread(context.compared, context.seed).double()
    real = float(spread(context.reals.pairwise_features, context.seed).double().mean())
    used = {"generated": len(generated), "real": len(context.reals.pairwise)}
    if not real:  # all real images are the same one
        return Result({}, used)
    # Each image is in the mean with its own distances and with those of its partners.
    return Result({"diversity": from_influence(float(generated.mean()) / real, 2 * generated / real)}, used)


GROUP = MetricGroup(
    "diversity",
    (
        Metric(
            "diversity",
            "Diversity",
            None,
            "How far apart generated images are, against real ones: 1 is alike, below 1 less diverse, above 1 more.",
        ),
    ),
    has_features,
    at_the_end(_measure),
    FEATURES,
)
