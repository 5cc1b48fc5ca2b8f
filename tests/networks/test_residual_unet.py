"""U-Nets that add to their source: shapes, an output near the source at first, and holes that alone are filled."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganops.data.derived.masked import Masked
from ganops.data.fields.image import ImageField, luma
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.networks.network import NETWORKS
from ganops.networks.residual_unet import ResidualUnet


def network(size: int = 16, source: int = 1, target: int = 1, source_size: int | None = None, **settings: Any) -> Any:
    torch.manual_seed(0)
    fields = {
        "image": ImageField(channels=target, size=size),
        "source": ImageField(channels=source, size=source_size or size),
    }
    section = {"kind": "residual-unet", "width": 4, "max_width": 8} | settings
    return NETWORKS.build(section, "test", DataSpec(fields=fields))


def pictures(size: int = 16, channels: int = 1, count: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, channels, size, size, generator=generator) * 2 - 1


@pytest.mark.parametrize("kind", ["residual-unet", "inpainting-unet"])
@pytest.mark.parametrize("size", [5, 6, 16, 28, 48])
@pytest.mark.parametrize("channels", [1, 3])
def test_target_has_the_shape_of_the_source(kind: str, size: int, channels: int) -> None:
    made = network(size, channels, channels, kind=kind)(pictures(size, channels))
    assert made.shape == (3, channels, size, size)


@pytest.mark.parametrize(("source", "target"), [(1, 1), (1, 3), (3, 1), (3, 3)])
def test_an_untrained_network_leaves_pictures_nearly_as_they_are(source: int, target: int) -> None:
    """It starts with a tenth of the usual weights in its last layer; 0.3 is a seventh of the range."""
    images = pictures(16, source)
    with torch.no_grad():
        made = network(16, source, target)(images)
    expected = luma(images) if source > target else images.expand_as(made)
    assert 0 < (made - expected).abs().max() < 0.3


def test_more_blocks_are_more_weights_at_each_resolution() -> None:
    """16, 8 and 4 pixels with 4, 8 and 8 channels: two convolutions of 3 x 3 a block, on the way down and up."""
    count = [sum(parameter.numel() for parameter in network(blocks=blocks).parameters()) for blocks in (1, 2)]
    block = {width: 2 * (9 * width**2 + width) for width in (4, 8)}
    assert count[1] - count[0] == 2 * block[4] + 2 * block[8] + block[8]


def test_an_output_does_not_depend_on_its_batch() -> None:
    """float32 convolutions of another batch size sum in another order: 1e-5."""
    made, images = network(32).train(), pictures(32, count=5)
    with torch.no_grad():
        together, alone = made(images), torch.cat([made.eval()(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("level", [127, 128])
def test_holes_of_mid_grey_are_filled_and_known_pixels_stay_bit_for_bit(level: int) -> None:
    images = pictures(16, 3)
    holes = Masked(side=0.5, place="centre").derive(images)
    hole = holes[:, :1] == 0
    holes = torch.where(hole, level / 127.5 - 1, holes)  # as a file of 8 bits has it
    with torch.no_grad():
        made = network(16, 3, 3, kind="inpainting-unet")(holes)
    assert torch.equal(torch.where(hole, 0, made), torch.where(hole, 0, images))
    assert (made != holes)[hole.expand_as(made)].float().mean() > 0.99


def test_a_picture_without_a_hole_is_returned() -> None:
    images = pictures(16, 3)
    with torch.no_grad():
        assert torch.equal(network(16, 3, 3, kind="inpainting-unet")(images), images)


def test_it_learns_to_sharpen() -> None:
    images = torch.nn.functional.interpolate(pictures(8, count=32), scale_factor=4)
    sources = torch.nn.functional.avg_pool2d(images, 3, 1, 1)
    made = network(32, width=8, max_width=16)
    optimizer = torch.optim.Adam(made.parameters(), lr=3e-3)
    for _ in range(30):
        loss = (made(sources) - images).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.6 * (sources - images).abs().mean()


@pytest.mark.parametrize(("size", "source_size"), [(16, 32), (74, 74)])
def test_sizes_that_it_cannot_have_are_refused(size: int, source_size: int) -> None:
    with pytest.raises(SettingsError) as caught:
        network(size, source_size=source_size)
    assert caught.value.code in ("image-size", "unsupported-size")


def test_the_interface_is_that_of_a_translator() -> None:
    made = network(source=1, target=3)
    assert isinstance(made, ResidualUnet)
    assert (made.source, made.target) == ("source", "image")
