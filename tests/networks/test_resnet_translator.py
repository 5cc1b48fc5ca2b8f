"""The ResNet generator of translations: its published size, the sizes it takes, and its borders."""

from __future__ import annotations

import pytest
import torch
from playing import domains_spec
from torch import nn

from ganops.errors import SettingsError
from ganops.networks.mirror_pad import MirrorPad
from ganops.networks.resnet_translator import ResnetTranslator, ResnetTranslatorSettings


def settings(**changes: object) -> ResnetTranslatorSettings:
    return ResnetTranslatorSettings.model_validate({"source": "A", "target": "B"} | changes)


@pytest.mark.parametrize(("blocks", "millions"), [(9, 11.378), (6, 7.838)])
def test_it_has_as_many_weights_as_the_authors_network(blocks: int, millions: float) -> None:
    """resnet_9blocks and resnet_6blocks for colour images; the authors' convolutions before a norm have biases, too."""
    with torch.device("meta"):
        network = ResnetTranslator(settings(blocks=blocks), domains_spec(3, 256))
    convolutions = [each for each in network.modules() if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]
    biases = sum(each.out_channels for each in convolutions if each.bias is None)
    count = sum(parameter.numel() for parameter in network.parameters()) + biases
    assert count / 1e6 == pytest.approx(millions, abs=5e-4)


@pytest.mark.parametrize("upsample", ["transposed", "resize"])
@pytest.mark.parametrize(("size", "halvings"), [(28, 2), (20, 2), (30, 1), (33, 0), (32, 3)])
def test_any_size_that_can_be_halved_so_often_keeps_its_size(size: int, halvings: int, upsample: str) -> None:
    torch.manual_seed(0)
    network = ResnetTranslator(settings(width=4, blocks=1, halvings=halvings, upsample=upsample), domains_spec(1, size))
    made = network(torch.rand(2, 1, size, size) * 2 - 1)
    assert made.shape == (2, 1, size, size)
    assert made.abs().max() <= 1


def test_a_size_that_cannot_be_halved_is_an_error() -> None:
    with pytest.raises(SettingsError) as caught:
        ResnetTranslator(settings(halvings=2), domains_spec(1, 30))
    assert (caught.value.code, caught.value.found) == ("image-size", "30")


def test_the_encoder_gives_the_maps_of_every_layer() -> None:
    network = ResnetTranslator(settings(width=4, blocks=2, halvings=2), domains_spec(1, 16))
    maps = network.encode(torch.zeros(1, 1, 16, 16))
    assert [tuple(each.shape[1:]) for each in maps] == [(4, 16, 16), (8, 8, 8), *[(16, 4, 4)] * 3]


def test_mirrored_borders_are_those_of_pytorch() -> None:
    torch.manual_seed(0)
    maps = torch.rand(2, 3, 7, 5, requires_grad=True)
    for border in (1, 3):
        ours, theirs = MirrorPad(border).from_pieces(maps), nn.ReflectionPad2d(border)(maps)
        assert torch.equal(ours, theirs)
        assert torch.equal(MirrorPad(border)(maps), theirs)
        weight = torch.rand_like(ours)
        gradients = [torch.autograd.grad((each * weight).sum(), maps)[0] for each in (ours, theirs)]
        # Sums of up to four numbers in another order.
        torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-6)
