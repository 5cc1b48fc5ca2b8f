"""Frozen feature networks: the maps of the published networks, no randomness, no state of a game."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from safetensors.torch import save_file
from torchvision.models.vgg import cfgs, make_layers

from ganops.errors import ModelError, SettingsError
from ganops.networks.image_features.efficientnet import DEFAULT
from ganops.networks.image_features.features import IMAGE_FEATURES, ImageFeatures
from ganops.networks.weight_files import load_state

LITE = {"kind": "efficientnet-lite0"}


def features(section: Mapping[str, object]) -> ImageFeatures:
    return IMAGE_FEATURES.build(section, "features")


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> tuple[torch.nn.Sequential, Path]:
    """torchvision's network without its classifier, and its weights in a file."""
    torch.manual_seed(0)
    network = make_layers(cfgs["E"])
    path = tmp_path_factory.mktemp("vgg") / "vgg19.safetensors"
    save_file({f"features.{name}": tensor for name, tensor in network.state_dict().items()}, path)
    return network, path


def test_vgg19_gives_the_maps_of_torchvisions_before_and_after_activations(
    vgg: tuple[torch.nn.Sequential, Path],
) -> None:
    """Indices of torchvision's layers: conv1_2 is 2, relu3_1 is 11, conv5_4 is 34. Images as ImageNet's are."""
    network, path = vgg
    images = torch.rand(2, 3, 32, 32)
    layers = {"conv5_4": 1.0, "relu3_1": 0.5, "conv1_2": 0.1}
    found = features({"kind": "vgg19", "weights": str(path), "layers": layers})(2 * images - 1)
    mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    maps = (images - mean) / deviation
    expected = []
    for index, layer in enumerate(network):
        maps = layer(maps)
        if index in (2, 11, 34):
            expected.append(maps.clone())
    for own, theirs in zip(found, reversed(expected), strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-4, atol=1e-5)


def test_efficientnet_gives_the_maps_of_its_package_for_its_own_range_of_pixels() -> None:
    own = features(LITE | {"layers": {"block15": 1.0}})
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(load_state(own.file))
    network.eval()
    levels = torch.randint(0, 256, (1, 3, 64, 64)).float()
    pixels = (levels - 127) / 128
    with torch.no_grad():
        expected = network._swish(network._bn0(network._conv_stem(pixels)))
        for block in network._blocks:
            expected = block(expected)
    torch.testing.assert_close(own(levels / 127.5 - 1)[0], expected, rtol=1e-3, atol=1e-4)
    assert own.sha256.startswith("57934424")


def test_grey_is_repeated_and_maps_come_in_the_order_that_was_asked_for() -> None:
    grey = torch.rand(2, 1, 32, 32) * 2 - 1
    own = features(LITE)
    for one, other in zip(own(grey), own(grey.expand(-1, 3, -1, -1)), strict=True):
        torch.testing.assert_close(one, other)
    shapes = [(maps.shape[1], maps.shape[2]) for maps in own(grey)]
    assert shapes == [(16, 16), (24, 8), (40, 4), (112, 2), (320, 1)]
    assert list(own.layers) == list(DEFAULT)


@pytest.mark.parametrize("size", [8, 14, 25])
def test_images_may_be_small_and_odd(size: int) -> None:
    """As in TensorFlow, maps are half as large, rounded up, and never smaller than a pixel."""
    sizes = [maps.shape[2] for maps in features(LITE)(torch.zeros(1, 3, size, size))]
    assert sizes == [-(-size // 2**halvings) for halvings in range(1, 6)]


def test_reading_the_weights_draws_no_random_number_and_copies_share_them() -> None:
    own = features(LITE)
    assert copy.deepcopy(own) is own
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    own(torch.zeros(1, 3, 32, 32))
    assert torch.equal(torch.rand(1), expected)


def test_only_images_get_gradients() -> None:
    own = features(LITE)
    images = torch.zeros(1, 3, 32, 32, requires_grad=True)
    total = torch.stack([maps.mean() for maps in own(images)]).sum()
    assert float(torch.autograd.grad(total, images)[0].abs().sum()) > 0
    assert not any(weight.requires_grad for weight in own._network.parameters())


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as unknown:
        features(LITE | {"layers": {"block16": 1.0}})
    assert (unknown.value.code, unknown.value.found) == ("unknown-layer", "block16")
    missing = features({"kind": "vgg19", "weights": str(tmp_path / "vgg19.pth")})
    with pytest.raises(ModelError) as unread:
        _ = missing.sha256
    assert unread.value.code == "unreadable-file"
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "vgg19.safetensors")
    other = features({"kind": "vgg19", "weights": str(tmp_path / "vgg19.safetensors")})
    with pytest.raises(ModelError) as foreign:
        other(torch.zeros(1, 3, 32, 32))
    assert foreign.value.code == "bad-weights"
