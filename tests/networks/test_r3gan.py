"""R3GAN's blocks begin as the identity, and compute in the precision of the turn."""

from __future__ import annotations

import pytest
import torch
from playing import spec_of
from torch import Tensor, nn

from ganops.networks.network import NETWORKS
from ganops.networks.r3gan import R3ganGenerator


@pytest.fixture
def generator() -> R3ganGenerator:
    torch.manual_seed(0)
    settings = {"kind": "r3gan-generator", "width": 8, "latent_dim": 6}
    built = NETWORKS.build(settings, "test", spec_of(1, 32))
    assert isinstance(built, R3ganGenerator)
    return built


def test_blocks_begin_as_the_identity(generator: R3ganGenerator) -> None:
    """Fix-up (arXiv:1901.09321): the last convolution of each starts at zero."""
    maps = torch.randn(2, 8, 4, 4)
    for stage in generator.stages:
        assert torch.equal(stage(maps), maps)


def test_wide_maps_are_in_the_precision_of_the_turn(generator: R3ganGenerator) -> None:
    """A float32 bias beside them would make them float32, twice as much to read and write."""
    seen: list[torch.dtype] = []

    def note(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0].dtype)

    for stage in generator.stages:
        for block in stage:
            block.grouped.register_forward_pre_hook(note)
            block.narrow.register_forward_pre_hook(note)
    with torch.autocast("cpu", torch.bfloat16):
        generator(torch.randn(2, 6))
    assert set(seen) == {torch.bfloat16}
