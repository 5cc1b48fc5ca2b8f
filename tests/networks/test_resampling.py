"""Resampling joined with a convolution gives what both give in turn, with the same gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganops.networks.resampling import DoublingConv, HalvingConv, double, halve

# Sums of 5 x 9 products in another order; both sides round float32.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def plainly_doubled(layer: nn.Conv2d, maps: Tensor) -> Tensor:
    return F.conv2d(double(maps), layer.weight, layer.bias, padding=1)


def plainly_halved(layer: nn.Conv2d, maps: Tensor) -> Tensor:
    return halve(F.conv2d(maps, layer.weight, layer.bias, padding=1))


@pytest.mark.parametrize(
    ("layer", "plain"), [(DoublingConv(5, 6), plainly_doubled), (HalvingConv(5, 6, bias=False), plainly_halved)]
)
@pytest.mark.parametrize("size", [(4, 4), (7, 6)])
def test_values_and_gradients_are_those_of_the_plain_layers(
    layer: nn.Conv2d, plain: Callable[[nn.Conv2d, Tensor], Tensor], size: tuple[int, int]
) -> None:
    maps = torch.randn(2, 5, *size, generator=torch.Generator().manual_seed(0)).requires_grad_()
    found, expected = layer(maps), plain(layer, maps)
    torch.testing.assert_close(found, expected, **CLOSE)
    weights = [maps, *layer.parameters()]
    for ours, theirs in zip(
        torch.autograd.grad(found.square().sum(), weights),
        torch.autograd.grad(expected.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, **CLOSE)


@pytest.mark.parametrize("layer", [DoublingConv(5, 6), HalvingConv(5, 6)])
def test_weights_have_the_shape_of_the_plain_convolution(layer: nn.Conv2d) -> None:
    assert layer.weight.shape == (6, 5, 3, 3)
