"""Each network has exactly the weights its reference has; where it has more or fewer, the test says which and why."""

from __future__ import annotations

from typing import Any

import pytest
from playing import spec_of

from ganops.networks.network import NETWORKS

IMAGENET = tuple(str(label) for label in range(1000))


def count(section: dict[str, Any], size: int, classes: tuple[str, ...] = ()) -> int:
    network = NETWORKS.build(section, "test", spec_of(3, size, classes))
    return sum(parameter.numel() for parameter in network.parameters())


def test_dcgan_at_64_pixels() -> None:
    """pytorch/examples, dcgan/main.py (ngf 64, ndf 64, nz 100): torchsummary prints 3,576,704 and 2,765,568 for it.

    There no convolution has a bias. Here those without a batch norm behind them have: of the 3 channels of the image,
    of the discriminator's 64 first maps, and of the logit.
    """
    assert count({"kind": "dcgan-generator"}, 64) == 3_576_704 + 3
    assert count({"kind": "dcgan-discriminator"}, 64) == 2_765_568 + 64 + 1


def test_sngan_for_cifar10() -> None:
    """Layer by layer as torch-mimicry's nets/sngan/sngan_32.py (ngf 256, ndf 128, nz 128); arXiv:1802.05957, table 4.

    Neither states a total.
    """
    block = 2 * (256 * 256 * 9 + 256) + 2 * 2 * 256 + 256 * 256 + 256
    generator = 128 * 4096 + 4096 + 3 * block + 2 * 256 + 256 * 3 * 9 + 3
    assert generator == 4_276_739
    assert count({"kind": "resnet-generator"}, 32) == generator
    conv = 128 * 128 * 9 + 128
    first = 3 * 128 * 9 + 128 + conv + 3 * 128 + 128
    assert count({"kind": "resnet-discriminator"}, 32) == first + 6 * conv + 128 * 128 + 128 + 129


@pytest.mark.slow
def test_biggan_for_imagenet_at_128_pixels() -> None:
    """google/compare_gan: its resnet_biggan_test.py asserts these totals, "the original BigGAN architecture"."""
    widths = {"width": 96, "growth": 2, "max_width": 16 * 96, "attention": [64], "start": "normal"}
    assert count({"kind": "biggan-generator", **widths}, 128, IMAGENET) == 70_433_988
    layout = {"wide": True, "smallest": 4, "flat": 1, "labels": "projection"}
    assert count({"kind": "resnet-discriminator", **widths, **layout}, 128, IMAGENET) == 87_982_370


def test_stylegan2_at_1024_pixels() -> None:
    """stylegan2-ada-pytorch at 1024 pixels, layers as config F: it prints these totals when a training starts.

    For the generator with the 2 mapping layers of its `auto` settings; config F has 8, of 512 x 512 + 512 weights each.
    """
    assert count({"kind": "stylegan2-generator", "mapping": 2}, 1024) == 28_794_124
    assert count({"kind": "stylegan2-generator"}, 1024) == 28_794_124 + 6 * (512 * 512 + 512)
    assert count({"kind": "stylegan2-discriminator"}, 1024) == 29_012_513


def test_r3gan_for_cifar10() -> None:
    """Layer by layer as R3GAN/Networks.py of the authors with the preset CIFAR10 of their train.py, without classes.

    4 stages of 2 blocks, 768 channels, expansion 2, 96 groups of 16 channels, noise 64; no total is stated. The bias of
    the logit is ours: the relativistic loss does not see it.
    """
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
