"""PatchGAN: how much of the image a logit sees, what it sees of the source, and its reference's weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ganops.data.fields.image import ImageField
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.networks.network import NETWORKS
from ganops.networks.patchgan import Patchgan, PatchganSettings, receptive_field


def patchgan(size: int = 32, source: int = 1, target: int = 1, **settings: Any) -> Patchgan:
    torch.manual_seed(0)
    spec = DataSpec(
        fields={
            "image": ImageField(channels=target, size=size),
            "source": ImageField(channels=source, size=size),
        }
    )
    made = NETWORKS.build({"kind": "patchgan", "width": 4, "layers": 1} | settings, "test", spec)
    assert isinstance(made, Patchgan)
    return made


@pytest.mark.parametrize(("layers", "pixels"), [(0, 1), (1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_receptive_fields_are_those_of_the_paper(layers: int, pixels: int) -> None:
    """The paper has 1, 16, 70 and 286 (arXiv:1611.07004, section 6.1.2)."""
    assert receptive_field(PatchganSettings(layers=layers)) == pixels


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_a_logit_depends_on_the_pixels_of_its_receptive_field_alone(layers: int) -> None:
    network = patchgan(96, layers=layers, norm="none")
    images = torch.rand(1, 1, 96, 96, requires_grad=True)
    logits = network(torch.rand(1, 1, 96, 96), images)
    middle = logits.shape[2] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], images)
    rows = gradient[0, 0].abs().sum(dim=1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == receptive_field(PatchganSettings(layers=layers))


@pytest.mark.parametrize(("source", "target"), [(1, 1), (1, 3), (3, 1)])
@pytest.mark.parametrize(
    ("size", "layers", "expected"), [(28, 1, 12), (32, 1, 14), (32, 2, 6), (64, 3, 6), (256, 3, 30), (32, 0, 32)]
)
def test_there_is_a_logit_for_each_patch(source: int, target: int, size: int, layers: int, expected: int) -> None:
    network = patchgan(size, source, target, layers=layers)
    logits = network(torch.rand(2, source, size, size), torch.rand(2, target, size, size))
    assert logits.shape == (2, 1, expected, expected)


def test_source_and_target_both_count() -> None:
    network = patchgan()
    source, target, other = torch.rand(3, 2, 1, 32, 32)
    assert not torch.equal(network(source, target), network(other, target))
    assert not torch.equal(network(source, target), network(source, other))


def test_it_has_the_weights_of_the_authors_discriminator() -> None:
    """NLayerDiscriminator (input_nc 6, ndf 64, n_layers 3) of pytorch-CycleGAN-and-pix2pix's models/networks.py."""
    convolutions = 16 * (6 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) + 64 + 1
    gains_and_offsets = 2 * (128 + 256 + 512)
    network = patchgan(256, 3, 3, layers=3, width=64, norm="batch")
    assert sum(parameter.numel() for parameter in network.parameters()) == convolutions + gains_and_offsets


@pytest.mark.parametrize(("size", "layers"), [(8, 2), (16, 3), (32, 4)])
def test_images_too_small_for_so_many_layers_are_refused(size: int, layers: int) -> None:
    with pytest.raises(SettingsError) as caught:
        patchgan(size, layers=layers)
    assert caught.value.code == "image-size"
    assert f"layers: {layers}" in str(caught.value.found)


def test_images_of_different_sizes_are_refused() -> None:
    spec = DataSpec(fields={"image": ImageField(channels=1, size=32), "source": ImageField(channels=1, size=16)})
    with pytest.raises(SettingsError) as caught:
        NETWORKS.build({"kind": "patchgan"}, "test", spec)
    assert caught.value.code == "image-size"
