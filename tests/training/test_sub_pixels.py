"""A transposed convolution to few channels, computed as a plain one, gives the same pixels."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganops.training.sub_pixels import doubled, doubles_to_few

TO_AN_IMAGE = {
    "a doubling to three channels": (nn.ConvTranspose2d(6, 3, 4, 2, 1), (2, 6, 5, 4)),
    "to one, without bias": (nn.ConvTranspose2d(6, 1, 4, 2, 1, bias=False), (2, 6, 4, 4)),
    "of a single pixel": (nn.ConvTranspose2d(6, 3, 4, 2, 1), (2, 6, 1, 1)),
}
OTHERS = {
    "to many channels": nn.ConvTranspose2d(6, 8, 4, 2, 1),
    "another filter": nn.ConvTranspose2d(6, 3, 3, 2, 1),
    "steps of one": nn.ConvTranspose2d(6, 3, 4, 1, 1),
    "the first layer's": nn.ConvTranspose2d(6, 3, 4, 2, 0),
    "holes": nn.ConvTranspose2d(6, 3, 4, 2, 1, dilation=2),
    "groups": nn.ConvTranspose2d(6, 6, 4, 2, 1, groups=2),
}


def taken(layer: nn.ConvTranspose2d) -> bool:
    return doubles_to_few(layer.weight, layer.stride, layer.padding, layer.dilation, layer.groups)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TO_AN_IMAGE)
def test_the_pixels_are_those_of_the_transposed_convolution(name: str) -> None:
    layer, shape = TO_AN_IMAGE[name]
    assert taken(layer)
    inputs = torch.randn(shape, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    layer = layer.double().to(memory_format=torch.channels_last)
    found = doubled(inputs, layer.weight, layer.bias)
    expected = F.conv_transpose2d(inputs, layer.weight, layer.bias, 2, 1)
    # The same sums in another order, in float64.
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_left_to_torch(name: str) -> None:
    assert not taken(OTHERS[name])
