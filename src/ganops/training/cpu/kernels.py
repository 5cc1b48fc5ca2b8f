"""The CPU kernels that replace PyTorch's where those are slow, and their installation."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from ganops.training.cpu.convolutions import Backward, Forward, backward, forward, input_gradient
from ganops.training.cpu.instance_norm import InstanceNorm, instance_norm

Original = Callable[..., Any]

KERNELS: tuple[tuple[str, str, Callable[..., Any], Callable[[Any, Original], Any]], ...] = (
    # operator, dispatch key, its arguments by name, the faster way
    ("convolution", "CPU", Forward, forward),
    ("convolution_backward", "CPU", Backward, backward),
    ("convolution_backward", "AutogradCPU", Backward, input_gradient),
    ("instance_norm", "AutogradCPU", InstanceNorm, instance_norm),
)


@cache
def install_cpu_kernels() -> torch.library.Library:
    """Override CPU kernels for this process; cases that a faster kernel leaves out (None) go to PyTorch.

    Autograd still decides which gradients are computed. A second call does nothing. Returns the object that holds the
    override: it is undone when that is collected.
    """
    # torch leaves Library without types.
    library = torch.library.Library("aten", "IMPL")
    for name, key, arguments, faster in KERNELS:
        original = torch.library.get_kernel(f"aten::{name}", key)
        library.impl(name, _kernel(arguments, faster, original.call_boxed), key, with_keyset=True)
    return library


def _kernel(make_call: Callable[..., Any], faster: Callable[[Any, Original], Any], original: Original) -> Original:
    def kernel(keys: object, *arguments: Any) -> Any:
        def pass_on(call: tuple[Any, ...]) -> Any:
            return original(keys, *call)

        call = make_call(*arguments)
        found = faster(call, pass_on)
        return pass_on(call) if found is None else found

    return kernel
