"""A transposed convolution to few channels, computed as a plain one, gives the same pixels."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganops.training.cpu.sub_pixel import doubled

TO_AN_IMAGE = {
    "a doubling to three channels": (nn.ConvTranspose2d(6, 3, 4, 2, 1), (2, 6, 5, 4)),
    "to one, without bias": (nn.ConvTranspose2d(6, 1, 4, 2, 1, bias=False), (2, 6, 4, 4)),
    "of a single pixel": (nn.ConvTranspose2d(6, 3, 4, 2, 1), (2, 6, 1, 1)),
}


@pytest.mark.parametrize("name", TO_AN_IMAGE)
def test_the_pixels_are_those_of_the_transposed_convolution(name: str) -> None:
    layer, shape = TO_AN_IMAGE[name]
    inputs = torch.randn(shape, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    layer = layer.double().to(memory_format=torch.channels_last)
    found = doubled(inputs, layer.weight, layer.bias)
    expected = F.conv_transpose2d(inputs, layer.weight, layer.bias, 2, 1)
    # The same sums in another order, in float64.
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert found.is_contiguous(memory_format=torch.channels_last)
