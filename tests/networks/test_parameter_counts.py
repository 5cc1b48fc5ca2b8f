"""Each network has exactly the weights its reference has."""

from __future__ import annotations

from typing import Any

import pytest
from playing import spec_of

from ganops.networks.network import NETWORKS

IMAGENET = tuple(str(label) for label in range(1000))


def count(section: dict[str, Any], size: int, classes: tuple[str, ...] = ()) -> int:
    network = NETWORKS.build(section, "test", spec_of(3, size, classes))
    return sum(parameter.numel() for parameter in network.parameters())


def test_sngan_for_cifar10() -> None:
    """torch-mimicry's SNGAN at 32 pixels (ngf 256, ndf 128, nz 128), layer by layer; table 3 of arXiv:1802.05957."""
    block = 2 * (256 * 256 * 9 + 256) + 2 * 2 * 256 + 256 * 256 + 256
    generator = 128 * 4096 + 4096 + 3 * block + 2 * 256 + 256 * 3 * 9 + 3
    assert generator == 4_276_739
    assert count({"kind": "resnet-generator"}, 32) == generator
    conv = 128 * 128 * 9 + 128
    first = 3 * 128 * 9 + 128 + conv + 3 * 128 + 128
    assert count({"kind": "resnet-discriminator"}, 32) == first + 6 * conv + 128 * 128 + 128 + 129


@pytest.mark.slow
def test_biggan_for_imagenet_at_128_pixels() -> None:
    """BigGAN-PyTorch prints 70,433,988 and 87,982,370 for its script at 128 pixels (ch 96, z 120, attention 64)."""
    widths = {"width": 96, "growth": 2, "max_width": 16 * 96, "attention": True, "start": "normal"}
    assert count({"kind": "biggan-generator", **widths}, 128, IMAGENET) == 70_433_988
    layout = {"wide": True, "smallest": 4, "flat": 1, "labels": "projection"}
    assert count({"kind": "resnet-discriminator", **widths, **layout}, 128, IMAGENET) == 87_982_370


def test_stylegan2_at_1024_pixels() -> None:
    """The official TensorFlow code's config F prints 30,370,060 and 29,012,513 trainable weights for FFHQ."""
    assert count({"kind": "stylegan2-generator"}, 1024) == 30_370_060
    assert count({"kind": "stylegan2-discriminator"}, 1024) == 29_012_513


def test_r3gan_for_cifar10() -> None:
    """The paper's CIFAR-10 form: 4 stages of 2 blocks, 768 channels, expansion 2, 96 groups of 16 channels."""
    block = 768 * 1536 + 1536 * 16 * 9 + 1536 * 768 + 2 * 1536
    generator = 768 * 16 + 64 * 768 + 8 * block + 768 * 3
    assert count({"kind": "r3gan-generator"}, 32) == generator
    discriminator = 3 * 768 + 8 * block + 768 * 16 + 768 + 1
    assert count({"kind": "r3gan-discriminator"}, 32) == discriminator


@pytest.mark.parametrize(("classes", "more"), [((), 0), (("a", "b"), 2 * 128)])
def test_projection_adds_one_vector_per_class(classes: tuple[str, ...], more: int) -> None:
    plain = count({"kind": "resnet-discriminator"}, 32)
    section = {"kind": "resnet-discriminator", "labels": "projection" if classes else "none"}
    assert count(section, 32, classes) == plain + more
