"""Which device torch computes on, and what to do where a device lacks something."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.errors import SettingsError

WITHOUT_FLOAT64 = ("mps",)


def devices() -> list[str]:
    """The kinds of devices of this machine, the fastest first."""
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [name for name, available in here.items() if available]


def find_device(name: str = "auto") -> torch.device:
    """The device of a name such as cuda, cuda:1, mps or cpu; `auto` is the fastest kind there is.

    Raises SettingsError for a device that this machine lacks.
    """
    here = devices()
    try:
        device = torch.device(here[0] if name == "auto" else name)
    except RuntimeError as error:
        raise _no_device(name, here) from error
    if device.type not in here or (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()):
        raise _no_device(name, here)
    if device == torch.device("cuda"):
        return torch.device("cuda", torch.cuda.current_device())
    return device


def in_float64(tensor: Tensor) -> Tensor:
    """The tensor in double precision: where it is, but on the CPU for a device that has none."""
    return tensor.cpu().double() if tensor.device.type in WITHOUT_FLOAT64 else tensor.double()


def _no_device(name: str, here: list[str]) -> SettingsError:
    return SettingsError(
        f"this machine does not have the device '{name}'",
        code="no-device",
        expected=", ".join(here),
        found=name,
        action="take one of these, or `auto`",
    )
