"""PatchGANs at several sizes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ganops.data.fields.image import ImageField
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.networks.multiscale import MultiscalePatchgan
from ganops.networks.network import NETWORKS

SPEC = DataSpec(fields={"image": ImageField(channels=3, size=32), "source": ImageField(channels=1, size=32)})


def built(**settings: object) -> MultiscalePatchgan:
    torch.manual_seed(0)
    network = NETWORKS.build(
        {"kind": "multiscale-patchgan", "width": 4, "layers": 1} | settings, "networks.discriminator", SPEC
    )
    assert isinstance(network, MultiscalePatchgan)
    return network


def test_each_size_has_a_discriminator_of_its_own() -> None:
    network, source, target = built(), torch.randn(2, 1, 32, 32), torch.randn(2, 3, 32, 32)
    large, small = network.pyramid(source, target)
    assert [maps.shape[1:] for maps in large] == [(4, 16, 16), (8, 15, 15), (1, 14, 14)]
    assert [maps.shape[1:] for maps in small] == [(4, 8, 8), (8, 7, 7), (1, 6, 6)]
    halves = (F.avg_pool2d(F.pad(each, (1, 1, 1, 1)), 3, 2, divisor_override=1) for each in (source, target))
    counts = F.avg_pool2d(F.pad(torch.ones(1, 1, 32, 32), (1, 1, 1, 1)), 3, 2, divisor_override=1)
    torch.testing.assert_close(small[-1], network.scales[1](*(half / counts for half in halves)))
    assert torch.equal(network(source, target), large[-1])
    assert not torch.equal(next(network.scales[0].parameters()), next(network.scales[1].parameters()))


@pytest.mark.parametrize("layers", [1, 2])
def test_its_patches_are_those_that_logits_depend_on(layers: int) -> None:
    data = SPEC.with_fields({name: field.model_copy(update={"size": 128}) for name, field in SPEC.fields.items()})
    section = {"kind": "multiscale-patchgan", "width": 2, "layers": layers, "norm": "none"}
    network = NETWORKS.build(section, "networks.discriminator", data)
    assert isinstance(network, MultiscalePatchgan)
    images = torch.rand(1, 3, 128, 128, requires_grad=True)
    for maps, side in zip(network.pyramid(torch.rand(1, 1, 128, 128), images), network.patches, strict=True):
        middle = maps[-1].shape[2] // 2
        (gradient,) = torch.autograd.grad(maps[-1][0, 0, middle, middle], images, retain_graph=True)
        rows = gradient[0].abs().sum(dim=(0, 2)).nonzero()
        assert int(rows.max() - rows.min()) + 1 == side


def test_spectral_norm_is_on_the_inner_convolutions() -> None:
    names = [name for name, _ in built(spectral=True, layers=2).named_modules() if name.endswith("parametrizations")]
    assert len(names) == 2 * 2  # the first and the last of the four of each size are without


def test_a_size_that_cannot_be_halved_is_refused() -> None:
    data = SPEC.with_fields({name: field.model_copy(update={"size": 30}) for name, field in SPEC.fields.items()})
    with pytest.raises(SettingsError) as caught:
        NETWORKS.build({"kind": "multiscale-patchgan", "scales": 3}, "networks.discriminator", data)
    assert caught.value.code == "image-size"
    with pytest.raises(SettingsError) as caught:  # the smallest size has too few pixels for so many layers
        built(layers=3)
    assert caught.value.code == "image-size"
