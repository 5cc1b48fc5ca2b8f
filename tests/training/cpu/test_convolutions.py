"""The faster convolutions equal PyTorch's, in every order of differentiation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganops.training.cpu.convolutions import (
    Backward,
    Forward,
    backward,
    forward,
    input_gradient,
    weight_product,
)
from ganops.training.cpu.kernels import install_cpu_kernels
from ganops.training.hardware import computes_bfloat16

LAYERS = {
    "a halving": (nn.Conv2d(8, 12, 4, 2, 1), (5, 8, 8, 8)),
    "pixels that no filter reaches": (nn.Conv2d(8, 12, 3, 2, bias=False), (5, 8, 8, 6)),
    "a halving to 8 x 8 in many channels": (nn.Conv2d(2, 64, 4, 2, 1), (3, 2, 16, 16)),
    "a halving of an image": (nn.Conv2d(3, 12, 4, 2, 1), (5, 3, 8, 6)),
    "a halving that leaves pixels over": (nn.Conv2d(3, 12, 4, 2, 1), (5, 3, 7, 8)),
    "same size": (nn.Conv2d(8, 12, 3, padding=1), (5, 8, 4, 4)),
    "one pixel": (nn.Conv2d(8, 12, 1), (5, 8, 2, 3)),
    "groups": (nn.Conv2d(8, 12, 3, padding=1, groups=4), (5, 8, 4, 4)),
    "holes": (nn.Conv2d(8, 12, 3, dilation=2), (5, 8, 6, 6)),
    "a doubling": (nn.ConvTranspose2d(8, 12, 4, 2, 1), (5, 8, 4, 4)),
    "a doubling to an image": (nn.ConvTranspose2d(8, 3, 4, 2, 1), (5, 8, 4, 3)),
    "a doubling to a grey image": (nn.ConvTranspose2d(8, 1, 4, 2, 1, bias=False), (5, 8, 4, 4)),
    "a doubling of odd size": (nn.ConvTranspose2d(8, 12, 3, 2, 1, output_padding=1), (5, 8, 3, 4)),
    "a latent projected": (nn.ConvTranspose2d(8, 12, 4, bias=False), (5, 8, 1, 1)),
}
LEFT_TO_TORCH = {"groups", "holes"}  # no faster kernel applies


@pytest.fixture(autouse=True)
def _kernels() -> None:
    install_cpu_kernels()


def call_of(layer: nn.Conv2d | nn.ConvTranspose2d, inputs: Tensor, gradient: Tensor, wanted: list[bool]) -> Backward:
    """The arguments that torch gives for a layer's gradients."""
    transposed = isinstance(layer, nn.ConvTranspose2d)
    sides = (layer.stride, layer.padding, layer.dilation, transposed, layer.output_padding, layer.groups)
    return Backward(gradient, inputs, layer.weight.to(inputs.dtype), None, *sides, wanted)


@pytest.mark.parametrize("name", LAYERS)
def test_bfloat16_weight_gradients_are_the_float32_ones_rounded(name: str) -> None:
    if name in LEFT_TO_TORCH and not computes_bfloat16(torch.device("cpu")):
        pytest.skip("this CPU has no bfloat16 arithmetic, and PyTorch's own gradients are coarser there")
    layer, shape = LAYERS[name]
    torch.manual_seed(0)
    # What bfloat16 holds exactly, so that both see the same numbers.
    inputs = torch.randn(shape).bfloat16().float().contiguous(memory_format=torch.channels_last)
    layer = layer.to(memory_format=torch.channels_last)
    with torch.no_grad():
        layer.weight.copy_(layer.weight.bfloat16())
    outputs = layer(inputs)
    gradient = torch.randn_like(outputs).bfloat16().float()
    exact = torch.autograd.grad(outputs, tuple(layer.parameters()), gradient)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = torch.autograd.grad(layer(inputs), tuple(layer.parameters()), gradient.bfloat16())
    for one, other in zip(exact, rounded, strict=True):
        # bfloat16 keeps 8 bits: each number is off by 0.4 % at the most.
        torch.testing.assert_close(other, one, rtol=4e-3, atol=1e-5)
        assert other.stride() == one.stride()


def test_small_maps_take_the_product_and_large_ones_go_to_torch() -> None:
    def product_for(size: int, dtype: torch.dtype, channels: int = 12) -> object:
        layer = nn.Conv2d(8, channels, 4, 2, 1)
        inputs = torch.randn(5, 8, size, size, dtype=dtype)
        gradient = torch.randn(5, channels, size // 2, size // 2, dtype=dtype)
        return weight_product(call_of(layer, inputs, gradient, [True, True, False]))

    assert product_for(8, torch.bfloat16) is not None
    assert product_for(16, torch.bfloat16) is None
    assert product_for(16, torch.bfloat16, channels=64) is not None
    assert product_for(32, torch.bfloat16, channels=64) is None
    assert product_for(8, torch.float32) is None


def test_torch_is_asked_for_no_more_than_is_left() -> None:
    asked: list[list[bool]] = []

    def original(call: Backward) -> tuple[None, None, None]:
        asked.append(list(call.wanted))
        return None, None, None

    def asked_of_torch(channels: int, size: int, wanted: list[bool]) -> list[list[bool]]:
        asked.clear()
        layer = nn.Conv2d(channels, 12, 4, 2, 1)
        inputs = torch.randn(5, channels, size, size).bfloat16()
        backward(call_of(layer, inputs, torch.randn(5, 12, size // 2, size // 2).bfloat16(), wanted), original)
        return asked

    assert asked_of_torch(9, 8, [True, True, True]) == [[True, False, True]]
    assert asked_of_torch(9, 8, [False, True, False]) == []
    assert asked_of_torch(3, 32, [True, True, True]) == [[False, True, True]]
    assert asked_of_torch(3, 8, [True, True, False]) == []
    untouched = call_of(nn.Conv2d(8, 12, 3), torch.randn(5, 8, 9, 9), torch.randn(5, 12, 7, 7), [True] * 3)
    assert backward(untouched, original) is None


def test_doublings_to_an_image_are_plain_convolutions_and_others_go_to_torch() -> None:
    def taken(channels: int, *sides: int, **others: int) -> bool:
        layer = nn.ConvTranspose2d(6, channels, *sides, **others)
        sizes = (layer.stride, layer.padding, layer.dilation, True, layer.output_padding, layer.groups)
        return forward(Forward(torch.randn(2, 6, 4, 4), layer.weight, layer.bias, *sizes), backward) is not None

    assert taken(3, 4, 2, 1)
    assert taken(1, 4, 2, 1)
    assert taken(8, 4, 2, 1)
    assert not taken(9, 4, 2, 1)
    assert not taken(3, 3, 2, 1)
    assert not taken(3, 4, 1, 1)
    assert not taken(3, 4, 2, 0)
    assert not taken(3, 4, 2, 1, dilation=2)
    assert not taken(3, 4, 2, 1, groups=3)
    assert not taken(3, 4, 2, 1, output_padding=1)


@pytest.mark.parametrize("name", LAYERS)
def test_second_derivatives_are_right(name: str) -> None:
    """Against finite differences, in float64, of inputs, weights and the gradient that comes in."""
    layer, shape = LAYERS[name]
    layer = layer.double().requires_grad_(False)
    torch.manual_seed(0)
    inputs = torch.randn(2, *shape[1:], dtype=torch.float64, requires_grad=True)

    def outputs(images: Tensor, weight: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {"weight": weight}, images)

    weight = layer.weight.detach().clone().requires_grad_()
    assert torch.autograd.gradgradcheck(outputs, (inputs, weight), fast_mode=True)


@pytest.mark.parametrize("name", LAYERS)
def test_the_input_gradient_is_pytorchs(name: str) -> None:
    layer, shape = LAYERS[name]
    layer = layer.double()
    torch.manual_seed(0)
    inputs = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    outputs = layer(inputs)
    gradient = torch.randn_like(outputs)
    (plain,) = torch.autograd.grad(outputs, inputs, gradient, retain_graph=True)
    found = input_gradient(call_of(layer, inputs, gradient, [True, False, False]), lambda _call: (None, None, None))
    assert found is not None
    # The same sums in another order, in float64.
    torch.testing.assert_close(found[0], plain, rtol=1e-12, atol=1e-12)


def test_a_gradient_that_is_not_differentiated_again_goes_to_torch() -> None:
    layer = nn.Conv2d(8, 12, 3)
    call = call_of(layer, torch.randn(5, 8, 4, 4), torch.randn(5, 12, 2, 2), [True, False, False])
    with torch.no_grad():
        assert input_gradient(call, lambda _call: (None, None, None)) is None
