"""StyleGAN2's filters: constant pictures stay, steps of two agree with taking every second pixel, in any precision."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganops.networks.low_pass import Blur, Downsample, Upsample


@pytest.mark.parametrize("filter_", [Upsample(), Downsample()])
def test_filters_keep_a_constant_picture(filter_: nn.Module) -> None:
    inner = filter_(torch.ones(1, 2, 16, 16))[:, :, 2:-2, 2:-2]
    torch.testing.assert_close(inner, torch.ones_like(inner))


def test_halving_is_the_filter_and_every_second_pixel_of_it() -> None:
    maps = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(Downsample()(maps), Blur()(maps, padding=1)[:, :, ::2, ::2])


def test_doubling_is_the_filter_over_pixels_with_zeros_between() -> None:
    maps = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    spread = torch.zeros(2, 3, 16, 16, dtype=torch.float64)
    spread[:, :, ::2, ::2] = maps
    # Four taps reach two pixels to one side and one to the other; the last zero between pixels is one of them already.
    expected = Blur(gain=4.0)(F.pad(spread, (2, 1, 2, 1)), padding=0)
    torch.testing.assert_close(Upsample()(maps), expected)


@pytest.mark.parametrize("filter_", [Upsample(), Downsample()])
def test_in_bfloat16_only_results_are_rounded(filter_: nn.Module) -> None:
    """As the gradients are, which are filtered backwards."""
    maps = torch.randn(2, 3, 8, 8).bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        found = filter_(maps)
    assert found.dtype == torch.bfloat16
    precise = maps.detach().float().requires_grad_()
    expected = filter_(precise)
    # The same sums of float32 on both sides, so the rounding is the same, too.
    assert torch.equal(found, expected.bfloat16())
    towards = torch.randn(found.shape).bfloat16()
    assert torch.equal(_gradient(found, maps, towards), _gradient(expected, precise, towards.float()).bfloat16())


def _gradient(outputs: Tensor, inputs: Tensor, towards: Tensor) -> Tensor:
    return torch.autograd.grad(outputs, inputs, towards)[0]
