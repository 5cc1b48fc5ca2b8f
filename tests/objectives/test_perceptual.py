"""The perceptual loss: a weighted sum over layers, zero for equal images, no gradient into the truth."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ganops.objectives.perceptual import PerceptualLoss, PerceptualSettings

LAYERS = {"kind": "efficientnet-lite0", "layers": {"block2": 0.5, "stem": 2.0}}


def loss(**settings: Any) -> PerceptualLoss:
    return PerceptualLoss(PerceptualSettings.model_validate({"features": LAYERS} | settings))


@pytest.mark.parametrize(("distance", "power"), [("l1", 1), ("l2", 2)])
def test_it_is_the_weighted_sum_of_mean_distances_over_layers(distance: str, power: int) -> None:
    one, other = (torch.rand(2, 3, 32, 32) * 2 - 1 for _ in range(2))
    measured = loss(distance=distance, weight=3.0)
    maps = zip(measured.features(one), measured.features(other), strict=True)
    means = [(a - b).abs().pow(power).mean() for a, b in maps]
    torch.testing.assert_close(measured(one, other), 3 * (0.5 * means[0] + 2 * means[1]))
    assert float(measured(one, one)) == 0


def test_no_gradient_reaches_the_truth() -> None:
    generated, truth = (torch.rand(1, 3, 32, 32, requires_grad=True) for _ in range(2))
    own, others = torch.autograd.grad(loss()(generated, truth), (generated, truth), allow_unused=True)
    assert float(own.abs().sum()) > 0
    assert others is None
