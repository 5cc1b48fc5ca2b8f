"""SPADE: sizes, what its modulation computes, and that label maps steer each place by itself."""

from __future__ import annotations

from typing import cast

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, LabelTable
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.networks.network import NETWORKS
from ganops.networks.spade import Spade, SpadeBlock, SpadeSettings, SpatiallyAdaptiveNorm

CLASSES = ("sky", "wall", "door")


def spec(size: int) -> DataSpec:
    return DataSpec(
        fields={
            "image": ImageField(channels=3, size=size),
            "source": LabelMapField(size=size, labels=LabelTable(classes=CLASSES)),
        }
    )


def built(size: int = 16, **settings: object) -> Spade:
    torch.manual_seed(0)
    network = NETWORKS.build({"kind": "spade", "width": 4, "hidden": 8} | settings, "networks.generator", spec(size))
    assert isinstance(network, Spade)
    return network


def label_maps(count: int, size: int) -> torch.Tensor:
    stored = torch.randint(0, len(CLASSES), (count, 1, size, size), dtype=torch.uint8)
    return LabelMapField(size=size, labels=LabelTable(classes=CLASSES)).to_model(stored)


@pytest.mark.parametrize(("size", "start"), [(16, 4), (28, 7), (40, 5), (64, 4)])
def test_it_starts_small_and_doubles_with_two_blocks_at_the_second_size(size: int, start: int) -> None:
    network = built(size)
    assert network.start == start
    assert [len(cast(nn.ModuleList, blocks)) for blocks in network.blocks][:2] == [1, 2]
    assert network(label_maps(2, size)).shape == (2, 3, size, size)


def test_its_widths_at_256_pixels_are_those_of_the_authors() -> None:
    network = built(256)
    blocks = [block for block in network.modules() if isinstance(block, SpadeBlock)]
    widths = [block.second.out_channels for block in blocks]
    assert [width // 4 for width in widths] == [16, 16, 16, 16, 8, 4, 2, 1]


def test_the_modulation_is_that_of_the_paper() -> None:
    torch.manual_seed(0)
    layer = SpatiallyAdaptiveNorm(5, 3, SpadeSettings(hidden=6))
    maps, labels = torch.randn(2, 5, 4, 4) * 3 + 1, label_maps(2, 8)
    shared = F.relu(layer.shared[0](labels[:, :, ::2, ::2]))  # the nearest pixel
    expected = F.instance_norm(maps) * (1 + layer.gain(shared)) + layer.offset(shared)
    torch.testing.assert_close(layer(maps, labels), expected)


def test_spectral_norm_is_on_the_convolutions_of_blocks_alone() -> None:
    with_norm, without = built(), built(spectral=False)
    normed = [name for name, module in with_norm.named_modules() if name.endswith("parametrizations")]
    assert len(normed) == 2 * 4 + 2  # two blocks change their channels
    assert not any("shared" in name or "gain" in name for name in normed)
    assert not [name for name, _ in without.named_modules() if "parametrizations" in name]


def test_outputs_do_not_depend_on_the_batch_and_follow_the_map() -> None:
    network, maps = built().eval(), label_maps(5, 16)
    with torch.no_grad():
        together = network(maps)
        alone = torch.cat([network(each) for each in torch.split(maps, 1)])
        other = network(maps.roll(1, dims=1))
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    assert (together - other).abs().mean() > 1e-4


def test_sizes_that_differ_are_refused() -> None:
    data = spec(16).with_fields({"image": ImageField(channels=3, size=32)})
    with pytest.raises(SettingsError) as caught:
        NETWORKS.build({"kind": "spade"}, "networks.generator", data)
    assert caught.value.code == "image-size"


def test_an_image_may_be_the_source() -> None:
    data = DataSpec(fields={"image": ImageField(channels=3, size=16), "source": ImageField(channels=1, size=16)})
    network = NETWORKS.build({"kind": "spade", "width": 4, "hidden": 4, "norm": "batch"}, "networks.generator", data)
    assert isinstance(network, nn.Module)
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 3, 16, 16)
