"""Vectors become maps and maps vectors without a copy, and without another result than the plain layers have."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ganops.networks.fastgan import Gated
from ganops.networks.maps import SpreadLatents, channels_last, flatten_maps, unflatten_maps


def test_flattening_is_undone_and_copies_nothing_of_channels_last_maps() -> None:
    maps = channels_last(torch.randn(3, 5, 4, 4))
    flat = flatten_maps(maps)
    assert flat.shape == (3, 80)
    assert flat.data_ptr() == maps.data_ptr()
    assert torch.equal(unflatten_maps(flat, 4), maps)
    assert unflatten_maps(flat, 4).is_contiguous(memory_format=torch.channels_last)


def test_gradients_come_back_channels_last() -> None:
    maps = channels_last(torch.randn(3, 5, 4, 4)).requires_grad_()
    flatten_maps(maps).square().sum().backward()
    assert maps.grad is not None
    assert maps.grad.is_contiguous(memory_format=torch.channels_last)


def test_spread_latents_are_a_transposed_convolution_of_one_pixel() -> None:
    layer = SpreadLatents(7, 5, 4)
    latents = torch.randn(3, 7)
    plain = F.conv_transpose2d(latents[:, :, None, None], layer.weight)
    # Sums of seven float32 products in another order.
    torch.testing.assert_close(layer(latents), plain, rtol=1e-5, atol=1e-6)


def test_the_gate_of_fastgan_is_a_gated_linear_unit_whose_gradient_stays_channels_last() -> None:
    maps = channels_last(torch.randn(3, 6, 4, 4)).requires_grad_()
    found = Gated()(maps)
    # One sigmoid and one product, rounded alike but for the last bit.
    torch.testing.assert_close(found, F.glu(maps, dim=1), rtol=1e-6, atol=1e-7)
    found.sum().backward()
    assert maps.grad is not None
    assert maps.grad.is_contiguous(memory_format=torch.channels_last)
