"""A convolution to one channel, computed tap by tap, gives the same map and the same gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganops.training.cpu.one_output import gradients_to_one, is_to_one, to_one

TO_ONE = {
    "logits of patches": (nn.Conv2d(6, 1, 4), (2, 6, 7, 5)),
    "a grey image": (nn.Conv2d(6, 1, 3, padding=1, bias=False), (2, 6, 4, 5)),
    "an oblong filter": (nn.Conv2d(6, 1, (3, 1), padding=(2, 0)), (1, 6, 3, 3)),
    "a single logit": (nn.Conv2d(6, 1, 4), (3, 6, 4, 4)),
}


@pytest.mark.parametrize("name", TO_ONE)
def test_map_and_gradients_are_those_of_the_convolution(name: str) -> None:
    layer, shape = TO_ONE[name]
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(shape, generator=generator).contiguous(memory_format=torch.channels_last).requires_grad_()
    padding = tuple(int(side) for side in layer.padding)
    expected = F.conv2d(inputs, layer.weight, layer.bias, padding=padding)
    weights = [inputs, *layer.parameters()]
    with torch.no_grad():
        found = to_one(inputs, layer.weight, layer.bias, padding)
        after = torch.randn(expected.shape, generator=generator)
        gradients = gradients_to_one(after, inputs, layer.weight, padding, [True, True, layer.bias is not None])
    # The same sums in another order, in float32.
    close = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(found, expected.detach(), **close)
    for ours, theirs in zip(gradients, torch.autograd.grad(expected, weights, after), strict=False):
        torch.testing.assert_close(ours, theirs, **close)
    unwanted = gradients_to_one(after, inputs, layer.weight, padding, [False, True, False])
    assert [gradient is None for gradient in unwanted] == [True, False, True]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.Conv2d(6, 1, 3), True),
        (nn.Conv2d(6, 2, 3), False),
        (nn.Conv2d(6, 1, 3, stride=2), False),
        (nn.Conv2d(6, 1, 3, dilation=(1, 2)), False),
        (nn.Conv1d(6, 1, 3), False),
    ],
)
def test_other_convolutions_are_left_out(layer: nn.Conv2d, expected: bool) -> None:
    assert is_to_one(layer.weight, layer.stride, layer.dilation, layer.groups) == expected
