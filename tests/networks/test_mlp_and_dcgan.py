"""The fully connected and the convolutional pair: shapes at every size, ranges, and the reference's weights."""

from __future__ import annotations

import pytest
import torch
from playing import points_spec, spec_of
from torch import nn

from ganops.errors import SettingsError
from ganops.networks.network import NETWORKS

PAIRS = {
    "mlp": ({"kind": "mlp-generator", "widths": [8, 12]}, {"kind": "mlp-discriminator", "widths": [12, 8]}),
    "dcgan": ({"kind": "dcgan-generator", "width": 4}, {"kind": "dcgan-discriminator", "width": 4}),
}


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("size", [28, 32, 48, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("pair", PAIRS)
def test_images_and_logits_have_the_right_shapes(pair: str, channels: int, size: int) -> None:
    spec = spec_of(channels, size)
    generator, discriminator = (NETWORKS.build(section, "test", spec) for section in PAIRS[pair])
    images = generator(torch.randn(3, 100))
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    assert discriminator(images.contiguous(memory_format=torch.channels_last)).shape == (3,)


def test_dcgan_has_the_weights_of_the_official_example_at_64_pixels() -> None:
    """pytorch/examples dcgan with nz 100, ngf = ndf = 64, nc 3 has 3,576,704 and 2,765,568 weights, none a bias.

    Ours has a bias where no batch norm follows: 3 in the generator's last layer, 64 and 1 in the discriminator.
    """
    spec = spec_of(3, 64)
    generator = NETWORKS.build({"kind": "dcgan-generator", "width": 64}, "test", spec)
    discriminator = NETWORKS.build({"kind": "dcgan-discriminator", "width": 64}, "test", spec)
    assert parameters(generator) == 3_576_704 + 3
    assert parameters(discriminator) == 2_765_568 + 64 + 1


def test_dcgan_starts_as_its_paper_says() -> None:
    torch.manual_seed(0)
    generator = NETWORKS.build({"kind": "dcgan-generator", "width": 32}, "test", spec_of(1, 32))
    weights = torch.cat([m.weight.flatten() for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)])
    # Some 700,000 draws: the standard error of the spread is 0.02 / sqrt(2 n) = 2e-5.
    assert weights.std().item() == pytest.approx(0.02, abs=2e-4)
    assert weights.mean().item() == pytest.approx(0.0, abs=2e-4)


def test_logits_of_a_critic_without_norm_do_not_depend_on_the_batch() -> None:
    section = {"kind": "dcgan-discriminator", "width": 4, "norm": "none"}
    critic = NETWORKS.build(section, "test", spec_of(1, 28))
    images = torch.randn(4, 1, 28, 28)
    torch.testing.assert_close(critic(images)[:1], critic(images[:1]))


def test_dropout_is_off_in_eval_mode() -> None:
    discriminator = NETWORKS.build({"kind": "mlp-discriminator", "dropout": 0.5}, "test", spec_of(1, 28))
    images = torch.randn(2, 1, 28, 28)
    assert not torch.equal(discriminator(images), discriminator(images))
    discriminator.eval()
    assert torch.equal(discriminator(images), discriminator(images))


def test_sizes_that_cannot_be_doubled_are_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        NETWORKS.build({"kind": "dcgan-generator"}, "test", spec_of(1, 37))
    assert caught.value.code == "unsupported-size"


def test_the_fully_connected_pair_takes_vectors_and_packs_them() -> None:
    spec = points_spec(size=3)
    generator = NETWORKS.build({"kind": "mlp-generator", "widths": [8]}, "test", spec)
    discriminator = NETWORKS.build({"kind": "mlp-discriminator", "widths": [8], "pack": 2}, "test", spec)
    points = generator(torch.randn(4, 100))
    assert points.shape == (4, 3)
    assert discriminator(points).shape == (2,)


def test_convolutions_are_refused_for_vectors() -> None:
    with pytest.raises(SettingsError) as caught:
        NETWORKS.build({"kind": "dcgan-generator"}, "test", points_spec())
    assert caught.value.code == "missing-field"
