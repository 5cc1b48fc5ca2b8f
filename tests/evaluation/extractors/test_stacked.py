"""A combination's probability is the product of what the channels show, each read by the same network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganops.evaluation.extractors.stacked import StackedNetwork


class Brightness(nn.Module):
    """The mean is the feature; a picture shows 1 with the probability of that mean, else 0."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean = images.mean(dim=(1, 2, 3)).unsqueeze(1)
        return mean, torch.cat((1 - mean, mean), dim=1).log()


CHANNELS = torch.tensor([[0.2, 0.5, 0.9], [0.6, 0.3, 0.1]])
IMAGES = CHANNELS[:, :, None, None].expand(2, 3, 4, 4)


def test_by_hand() -> None:
    features, logits = StackedNetwork(Brightness())(IMAGES)
    assert torch.allclose(features, CHANNELS)
    assert logits.shape == (2, 8)
    # The first image shows 000 with 0.8 * 0.5 * 0.1, 001 with 0.8 * 0.5 * 0.9, 110 with 0.2 * 0.5 * 0.1.
    assert logits[0, [0, 1, 6]].exp().tolist() == pytest.approx([0.04, 0.36, 0.01])
    assert logits[1].argmax() == 0b100
    assert logits.exp().sum(dim=1).tolist() == pytest.approx([1, 1])


def test_training_on_the_whole_is_training_on_every_channel() -> None:
    single = Brightness()
    _, whole = StackedNetwork(single)(IMAGES)
    _, parts = single(IMAGES.flatten(0, 1).unsqueeze(1))
    digits = torch.tensor([[0, 1, 1], [1, 0, 0]])
    together = F.cross_entropy(whole, digits @ torch.tensor([4, 2, 1]))
    assert float(together) == pytest.approx(3 * float(F.cross_entropy(parts, digits.flatten())))
