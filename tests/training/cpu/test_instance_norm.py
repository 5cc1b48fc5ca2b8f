"""Instance norm image by image equals PyTorch's, with all its gradients, and stays channels-last."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ganops.training.cpu.instance_norm import InstanceNorm, instance_norm
from ganops.training.cpu.kernels import install_cpu_kernels


def call_of(inputs: Tensor, weight: Tensor | None = None, running: Tensor | None = None) -> InstanceNorm:
    return InstanceNorm(inputs, weight, weight, running, running, True, 0.1, 1e-5, False)


def large(dtype: torch.dtype = torch.float32, images: int = 3) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(images, 8, 32, 32, dtype=dtype).contiguous(memory_format=torch.channels_last)


def original(*_: object) -> None:
    raise AssertionError("not called")


@pytest.mark.parametrize("affine", [True, False])
def test_maps_and_both_orders_of_gradients_are_pytorchs(affine: bool) -> None:
    weight = torch.rand(8, dtype=torch.float64) if affine else None
    found, expected = [], []
    for results, norm in (
        (found, lambda maps: instance_norm(call_of(maps, weight), original)),
        (expected, lambda maps: F.instance_norm(maps, weight=weight, bias=weight)),
    ):
        maps = large(torch.float64).requires_grad_()
        normalised = norm(maps)
        assert isinstance(normalised, Tensor)
        (first,) = torch.autograd.grad(normalised.pow(3).sum(), maps, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), maps)
        results += [normalised, first, second]
    for one, other in zip(found, expected, strict=True):
        # The same sums in another order, in float64.
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)
    assert found[0].is_contiguous(memory_format=torch.channels_last)


def test_the_operator_uses_it_once_it_is_installed() -> None:
    install_cpu_kernels()
    maps = large().requires_grad_()
    normalised = F.instance_norm(maps)
    (gradient,) = torch.autograd.grad(normalised, maps, torch.randn_like(maps))
    assert normalised.is_contiguous(memory_format=torch.channels_last)  # PyTorch's own returns another format
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        torch.testing.assert_close(F.instance_norm(maps), normalised)


def test_pytorch_keeps_small_maps_other_formats_and_running_statistics() -> None:
    assert instance_norm(call_of(large()), original) is not None
    assert instance_norm(call_of(large()[:, :, :8, :8]), original) is None
    assert instance_norm(call_of(large().contiguous()), original) is None
    assert instance_norm(call_of(large(), running=torch.zeros(8)), original) is None
