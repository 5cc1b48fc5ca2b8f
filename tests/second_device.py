"""A second device on any machine: tensors that say they lie on it, and are as strict about it as those of a GPU.

Their numbers are on the CPU. An operation on tensors of two devices raises, as on a GPU; only single numbers may lie on
the CPU. As on Apple's GPUs there is no float64. Its name is `meta`, which torch takes wherever a device is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim import optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

from ganops import devices

DEVICE = torch.device("meta")
aten = torch.ops.aten
MOVES = (aten._to_copy.default, aten.copy_.default, aten.to.device, aten.is_pinned.default)
# What a GPU takes from the CPU: indices, and numbers that a kernel gets as arguments.
MIXED = (aten.index.Tensor, aten.index_put_.default, aten.index_put.default)


class There(Tensor):
    """A tensor on the second device; `here` holds its numbers."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> There:
        refuse_float64(here.dtype)
        made: There = torch.Tensor._make_wrapper_subclass(
            cls, here.size(), here.stride(), here.storage_offset(), dtype=here.dtype, device=DEVICE
        )
        made.here = here
        return made

    def tolist(self) -> Any:
        return self.here.tolist()

    def __repr__(self, **_: Any) -> str:
        return f"There({self.here!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copy = There(self.here.clone())
        copy.requires_grad_(self.requires_grad)
        memo[id(self)] = torch.nn.Parameter(copy, self.requires_grad) if isinstance(self, torch.nn.Parameter) else copy
        return memo[id(self)]

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return run(func, args, kwargs or {})


def refuse_float64(dtype: torch.dtype) -> None:
    if dtype in (torch.float64, torch.complex128):
        raise TypeError("the second device has no float64")


def run(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Any operation: on the numbers, with the result where it belongs."""
    leaves, _ = tree_flatten((args, kwargs))
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    there = [tensor for tensor in tensors if isinstance(tensor, There)]
    asked = kwargs.get("device")
    if func not in MOVES and not (func in MIXED and isinstance(args[0], There)):
        strangers = [tensor for tensor in tensors if there and not isinstance(tensor, There) and tensor.ndim > 0]
        if strangers:
            raise RuntimeError(f"{func} got tensors on two devices: {DEVICE} and cpu {tuple(strangers[0].shape)}")
    inner_args, inner_kwargs = tree_map_only(There, lambda each: each.here, (args, dict(kwargs)))
    if asked is not None:
        inner_kwargs["device"] = torch.device("cpu")
        on_second = torch.device(asked).type == DEVICE.type
    else:
        on_second = bool(there)
    if func is aten.copy_.default:
        on_second = isinstance(args[0], There)
    found = func(*inner_args, **inner_kwargs)
    known = {id(each.here): each for each in there}
    if not on_second:
        return found
    return tree_map_only(Tensor, lambda each: known[id(each)] if id(each) in known else There(each), found)


class _Mode(TorchDispatchMode):
    """While it is on, tensors can be made on `DEVICE` and moved there."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return run(func, args, kwargs or {})


@contextmanager
def second_device(patch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """The device, while it is there."""

    def autocast(kind: str, *args: Any, **kwargs: Any) -> Any:
        return usual("cpu" if kind == DEVICE.type else kind, *args, **kwargs)

    usual = torch.autocast
    patch.setattr(torch, "autocast", autocast)
    patch.setattr(optimizer, "_get_fused_kernels_supported_devices", lambda: ["cpu", DEVICE.type])
    patch.setattr(devices, "WITHOUT_FLOAT64", (DEVICE.type,))
    torch.__future__.set_overwrite_module_params_on_conversion(True)  # else a CPU parameter gets the other's numbers
    try:
        with _Mode():
            yield DEVICE
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(False)
