"""safetensors files, written as a whole or piece by piece and read through a shared, read-only map.

Pieces and the map allow files of any size. The library's own `save_file` takes whole tensors, and its `load_file` maps
the file privately and writable, which Linux counts as memory: it refuses a file larger than RAM and swap together.
Format: https://github.com/huggingface/safetensors
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import save_file

from ganops.atomic import atomic_path

MAX_HEADER = 100 * 2**20  # bytes, the format's own limit
_OS_ERROR = re.compile(r"\(os error (\d+)\)")  # in the words of Rust
_LENGTH = struct.Struct("<Q")
_TYPES: dict[str, tuple[torch.dtype, str]] = {
    "U8": (torch.uint8, "<u1"),
    "I8": (torch.int8, "<i1"),
    "BOOL": (torch.bool, "?"),
    "I16": (torch.int16, "<i2"),
    "F16": (torch.float16, "<f2"),
    "I32": (torch.int32, "<i4"),
    "F32": (torch.float32, "<f4"),
    "I64": (torch.int64, "<i8"),
    "F64": (torch.float64, "<f8"),
}
_NAMES = {dtype: name for name, (dtype, _) in _TYPES.items()}


@dataclass(frozen=True)
class Pieces:
    """A tensor that is written without ever being in memory as a whole: its rows, some at a time."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    pieces: Iterable[NDArray[Any]]


def save_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write tensors of any device atomically; raises OSError, also where safetensors has it in a text of its own."""
    with atomic_path(path) as temporary:
        try:
            save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, temporary)
        except SafetensorError as error:
            if number := _OS_ERROR.search(str(error)):
                raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error
            raise


def write_tensors(path: Path, tensors: Mapping[str, Pieces]) -> None:
    """Write tensors in pieces, atomically; raises OSError, and ValueError where pieces do not fill their shape."""
    ordered = sorted(tensors, key=lambda name: -tensors[name].dtype.itemsize)  # so that each begins aligned
    header: dict[str, Any] = dict.fromkeys(tensors)  # in the order given, which readers keep
    end = 0
    for name in ordered:
        dtype, shape = tensors[name].dtype, tensors[name].shape
        start, end = end, end + math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": _NAMES[dtype], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(_LENGTH.pack(len(text)) + text)
        for name in ordered:
            written = 0
            for piece in tensors[name].pieces:
                content = np.ascontiguousarray(piece, dtype=_TYPES[header[name]["dtype"]][1])
                file.write(content.reshape(-1).view(np.uint8).data)
                written += content.nbytes
            start, end = header[name]["data_offsets"]
            if written != end - start:
                raise ValueError(f"'{name}': {written:,} bytes were given for a shape of {end - start:,}")


def map_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file as read-only views of it; writing to one ends the process.

    Raises OSError for a file that cannot be opened or mapped, and ValueError for one that is damaged.
    """
    with path.open("rb") as file:
        (length,) = _LENGTH.unpack(file.read(8).ljust(8, b"\xff"))
        if length > MAX_HEADER:
            raise ValueError("it has no header")
        text = file.read(length)
    mapped = np.memmap(path, dtype=np.uint8, mode="r")
    try:
        header = json.loads(text)
        tensors = {name: _view(mapped, 8 + length, entry) for name, entry in header.items() if name != "__metadata__"}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"its header is damaged: {error}") from error
    return tensors


def _view(mapped: NDArray[np.uint8], data: int, entry: Mapping[str, Any]) -> torch.Tensor:
    dtype, (start, end) = _TYPES[entry["dtype"]][0], entry["data_offsets"]
    shape = [int(size) for size in entry["shape"]]
    if not 0 <= start <= end <= len(mapped) - data or end - start != math.prod(shape) * dtype.itemsize:
        raise ValueError("it is cut short")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        content = torch.from_numpy(mapped[data + start : data + end])
    return content.view(dtype).view(shape)
