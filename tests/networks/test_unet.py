"""The U-Net: shapes at every size, skip connections, and outputs that depend on nothing but their source."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganops.data.fields.image import ImageField
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.networks.network import NETWORKS
from ganops.networks.unet import Unet


def pair_spec(size: int, source: int = 1, target: int = 1, source_size: int | None = None) -> DataSpec:
    """Pairs of images with so many channels."""
    return DataSpec(
        fields={
            "image": ImageField(channels=target, size=size),
            "source": ImageField(channels=source, size=source_size or size),
        }
    )


def unet(size: int = 16, source: int = 1, target: int = 1, **settings: Any) -> Unet:
    torch.manual_seed(0)
    section = {"kind": "unet", "width": 4, "max_width": 8} | settings
    made = NETWORKS.build(section, "test", pair_spec(size, source, target))
    assert isinstance(made, Unet)
    return made


def sources(size: int = 16, channels: int = 1, count: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, channels, size, size, generator=generator) * 2 - 1


@pytest.mark.parametrize("size", [6, 8, 16, 28, 32, 48, 64, 128])
@pytest.mark.parametrize(("source", "target"), [(1, 1), (1, 3), (3, 1), (3, 3)])
@pytest.mark.parametrize("upsample", ["transposed", "resize"])
def test_target_has_its_own_channels_and_the_size_of_the_source(
    size: int, source: int, target: int, upsample: str
) -> None:
    made = unet(size, source, target, upsample=upsample)(sources(size, source))
    assert made.shape == (3, target, size, size)
    assert made.abs().max() <= 1


def test_it_has_the_weights_of_the_authors_unet_of_as_many_layers() -> None:
    """Layer by layer as UnetGenerator (num_downs 6, ngf 64) of pytorch-CycleGAN-and-pix2pix's models/networks.py.

    Instance norms have no weights. Biases here: those of the first and the last convolution.
    """
    down = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 512), (512, 512)]
    up = [(512, 512), (1024, 512), (1024, 256), (512, 128), (256, 64), (128, 3)]
    expected = 16 * sum(before * after for before, after in down + up) + 64 + 3
    made = NETWORKS.build({"kind": "unet"}, "test", pair_spec(256, 3, 3))
    assert sum(parameter.numel() for parameter in made.parameters()) == expected


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_an_output_does_not_depend_on_its_batch(norm: str) -> None:
    """float32 convolutions of another batch size sum in another order: 1e-5."""
    network, images = unet(32, norm=norm, dropout=0.5), sources(32, count=5)
    network.train()(images)  # running statistics that are not the initial ones
    network.eval()
    with torch.no_grad():
        together, alone = network(images), torch.cat([network(image[None]) for image in images])
        reversed_order = network(images.flip(0)).flip(0)
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    torch.testing.assert_close(together, reversed_order, rtol=0, atol=1e-5)


def test_training_and_evaluation_agree_with_instance_norm() -> None:
    network, images = unet(), sources()
    with torch.no_grad():
        assert torch.equal(network.train()(images), network.eval()(images))


def test_dropout_is_noise_in_training_only() -> None:
    network, images = unet(32, dropout=0.5), sources(32)
    with torch.no_grad():
        assert not torch.equal(network(images), network(images))
        network.eval()
        state = torch.get_rng_state()
        assert torch.equal(network(images), network(images))
        assert torch.equal(torch.get_rng_state(), state)


def test_skip_connections_carry_the_source_past_the_smallest_maps() -> None:
    network, images = unet(32), sources(32)
    with torch.no_grad():
        for parameter in network.encoder[-1].parameters():
            parameter.zero_()
        made = network(images)
    assert (made[0] - made[1]).abs().max() > 1e-4


def test_resizing_leaves_no_checkerboard() -> None:
    """Of constant maps: inside of the border all pixels are alike, those of a transposed convolution are not."""
    for upsample, alike in (("resize", True), ("transposed", False)):
        network = unet(32, upsample=upsample)
        channels = next(network.to_image.parameters()).shape[0 if upsample == "transposed" else 1]
        with torch.no_grad():
            inside = network.to_image(torch.ones(1, channels, 8, 8))[0, 0, 2:-2, 2:-2]
        assert (inside.std().item() < 1e-6) is alike


@pytest.mark.parametrize(("size", "source_size"), [(16, 32), (7, 7), (3, 3), (30, 30)])
def test_sizes_that_it_cannot_have_are_refused(size: int, source_size: int) -> None:
    with pytest.raises(SettingsError) as caught:
        NETWORKS.build({"kind": "unet"}, "test", pair_spec(size, source_size=source_size))
    assert caught.value.code in ("image-size", "unsupported-size")


def test_a_field_that_the_data_lack_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        NETWORKS.build({"kind": "unet", "source": "sketch"}, "test", pair_spec(16))
    assert caught.value.code == "missing-field"
    assert "sketch" in str(caught.value)
