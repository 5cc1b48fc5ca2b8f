"""Networks for super-resolution: the authors' layers, any size and factor, what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.networks.network import NETWORKS
from ganops.networks.rrdb import DenseBlock
from ganops.networks.srresnet import steps_of

SMALL: dict[str, dict[str, Any]] = {
    "srresnet": {"kind": "srresnet", "width": 4, "blocks": 1},
    "rrdb": {"kind": "rrdb", "width": 4, "growth": 2, "blocks": 1},
    "vgg-discriminator": {"kind": "vgg-discriminator", "width": 4},
    "unet-discriminator": {"kind": "unet-discriminator", "width": 4},
}


def spec_of(size: int, factor: int, channels: int = 3, low_channels: int | None = None) -> DataSpec:
    fields: dict[str, Field] = {
        "image": ImageField(channels=channels, size=size),
        "low": ImageField(channels=low_channels or channels, size=size // factor),
    }
    return DataSpec(fields=fields)


def build(section: dict[str, Any], size: int = 16, factor: int = 2, **more: Any) -> nn.Module:
    torch.manual_seed(0)
    return NETWORKS.build(section, "test", spec_of(size, factor, **more))


@pytest.mark.parametrize(
    ("section", "size", "weights"),
    [
        # "Number of parameters: 1,517,571" (MSRResNet, AIM 2019 challenge on constrained super-resolution)
        ({"kind": "srresnet"}, 128, 1_517_571),
        # "RRDBNet (16,697,987 parameters)", as training logs of ESRGAN print it
        ({"kind": "rrdb"}, 128, 16_697_987),
    ],
)
def test_generators_have_the_published_numbers_of_weights(section: dict[str, Any], size: int, weights: int) -> None:
    with torch.device("meta"):
        network = NETWORKS.build(section, "test", spec_of(size, 4))
    assert sum(parameter.numel() for parameter in network.parameters()) == weights


def test_discriminators_have_the_layers_of_the_authors_code() -> None:
    """Layer by layer as VGGStyleDiscriminator (128 pixels) and UNetDiscriminatorSN of BasicSR; they state no totals."""
    first = 3 * 64 * 9 + 64 + 64 * 64 * 16 + 2 * 64
    doubled = sum(w * 2 * w * 9 + 4 * w * w * 16 + 2 * (2 * 2 * w) for w in (64, 128, 256))
    last = 512 * 512 * (9 + 16) + 2 * (2 * 512)
    vgg = first + doubled + last + (512 * 16 * 100 + 100) + 101
    unet = (3 * 64 * 9 + 64) + sum(w * 2 * w * (16 + 9) for w in (64, 128, 256)) + 2 * 64 * 64 * 9 + (64 * 9 + 1)
    for kind, expected in (("vgg-discriminator", vgg), ("unet-discriminator", unet)):
        network = build({"kind": kind}, 128, 4)
        assert sum(parameter.numel() for parameter in network.parameters()) == expected


@pytest.mark.parametrize(
    ("kind", "factor"),
    [*(("srresnet", factor) for factor in (1, 2, 3, 4)), *(("rrdb", factor) for factor in (1, 2, 4))],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_size_become_so_many_times_larger(kind: str, factor: int, channels: int) -> None:
    network = build(SMALL[kind], 24, factor, channels=channels)
    made = network(torch.rand(2, channels, 7, 5) * 2 - 1)
    assert made.shape == (2, channels, 7 * factor, 5 * factor)


def test_srresnet_starts_near_bilinear_enlarging() -> None:
    """Its small first weights add little to the source."""
    network = build({"kind": "srresnet", "width": 16, "blocks": 2})
    images = torch.rand(2, 3, 8, 8) * 2 - 1
    bilinear = F.interpolate(images, scale_factor=2.0, mode="bilinear", align_corners=False)
    assert (network(images) - bilinear).abs().max() < 0.05


def test_a_dense_block_is_that_of_the_paper() -> None:
    """x + 0.2 conv5(x, x1, x2, x3, x4), each x_k the LeakyReLU of a convolution of all before it (figure 4)."""
    torch.manual_seed(0)
    block = DenseBlock(4, 2)
    x = torch.rand(1, 4, 6, 6)
    maps = [x]
    for index in range(4):
        maps.append(F.leaky_relu(block.layers[index](torch.cat(maps, dim=1)), 0.2))
    torch.testing.assert_close(block(x), x + 0.2 * block.layers[4](torch.cat(maps, dim=1)))


@pytest.mark.parametrize("size", [8, 24, 28, 32, 48, 65])
def test_the_vgg_style_discriminator_takes_images_of_any_size(size: int) -> None:
    logits = build(SMALL["vgg-discriminator"], size, 1)(None, torch.rand(3, 3, size, size))
    assert logits.shape == (3, 1, 1, 1)


def test_the_unet_discriminator_gives_a_logit_for_each_pixel_whose_layers_cannot_stretch() -> None:
    network = build(SMALL["unet-discriminator"], 24, 1)
    assert network(None, torch.rand(2, 3, 24, 24)).shape == (2, 1, 24, 24)
    network(None, torch.rand(2, 3, 24, 24))
    normed = [module for module in network.modules() if hasattr(module, "parametrizations")]
    assert len(normed) == 3 + 3 + 2
    network.eval()
    for layer in normed:
        assert isinstance(layer, nn.Conv2d)
        assert float(torch.linalg.matrix_norm(layer.weight.flatten(1), 2)) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("section", "size", "factor", "more", "code"),
    [
        (SMALL["rrdb"], 24, 3, {}, "enlarging-factor"),
        (SMALL["srresnet"], 25, 5, {}, "enlarging-factor"),
        (SMALL["srresnet"], 25, 2, {}, "image-size"),
        (SMALL["srresnet"], 16, 2, {"low_channels": 1}, "other-channels"),
        (SMALL["unet-discriminator"], 28, 2, {}, "image-size"),
        (SMALL["unet-discriminator"] | {"halvings": 2}, 30, 2, {}, "image-size"),
    ],
)
def test_what_cannot_be_built_is_said(
    section: dict[str, Any], size: int, factor: int, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        build(section, size, factor, **more)
    assert caught.value.code == code


def test_factors_are_divided_into_shuffles_of_two_and_three() -> None:
    assert [steps_of(factor) for factor in (1, 2, 3, 4, 6, 8)] == [[], [2], [3], [2, 2], [2, 3], [2, 2, 2]]
