"""Heads on a discriminator's features: what a label adds to a logit."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.spec import DataSpec
from ganops.networks.network import NETWORKS, Discriminator

SPEC = DataSpec(fields={"image": ImageField(channels=1, size=16), "label": CategoryField(classes=tuple("0123"))})
PROJECTING: dict[str, dict[str, Any]] = {
    "mlp-discriminator": {"labels": "projection"},
    "dcgan-discriminator": {"labels": "projection"},
    "stylegan2-discriminator": {"labels": "projection"},
    "r3gan-discriminator": {"labels": True, "width": 64},
    "resnet-discriminator": {"labels": "projection"},
}


@pytest.mark.parametrize("kind", PROJECTING)
def test_the_class_does_not_outweigh_the_image_when_training_starts(kind: str) -> None:
    """A label moves a logit by about as much as one feature is; the sum over all of them would drown the rest."""
    torch.manual_seed(0)
    network = NETWORKS.build({"kind": kind, **PROJECTING[kind]}, "test", SPEC)
    assert isinstance(network, Discriminator)
    with torch.no_grad():
        features = network.features(torch.rand(64, 1, 16, 16) * 2 - 1)
        moved = network.logits(features, torch.arange(64) % 4) - network.logits(features, None)
    assert 0 < float(moved.std()) < 3 * float(features.square().mean().sqrt())
