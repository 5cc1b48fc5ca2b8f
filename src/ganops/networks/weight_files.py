"""Weights of published networks, read from a file whose digest names them; nothing but tensors is ever unpickled."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ganops.errors import ModelError
from ganops.file_digest import file_sha256


def load_state(path: Path, sha256_prefix: str = "") -> dict[str, Tensor]:
    """The tensors of a .safetensors or a .pth file whose sha256 begins as stated.

    Raises ModelError when the file is missing, has another digest, or holds anything else.
    """
    found = sha256_of(path)
    if not found.startswith(sha256_prefix):
        raise ModelError(
            f"{path} is damaged or another file",
            code="wrong-digest",
            expected=f"sha256 {sha256_prefix}...",
            found=f"{found[:16]}..., {path.stat().st_size:,} bytes",
            action="remove it and fetch it again",
        )
    try:
        if path.suffix == ".safetensors":
            state: dict[str, Tensor] = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, SafetensorError) as error:
        raise ModelError(f"{path} does not hold weights", code="damaged-file", found=str(error)) from error
    return state


def sha256_of(path: Path) -> str:
    """Hex digest of a file; raises ModelError when it cannot be read."""
    try:
        return file_sha256(path)
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read", code="unreadable-file", found=str(error), action="check the path"
        ) from error
