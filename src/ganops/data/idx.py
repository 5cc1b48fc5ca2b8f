"""The IDX format of MNIST and similar data sets: a magic number, big-endian sizes, then bytes; plain or gzipped."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganops.errors import DataError

_UNSIGNED_BYTES = 0x08
MAX_VALUES = 2**31


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of an IDX file of unsigned bytes with so many dimensions; raises DataError for any other content."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            header = file.read(4 + 4 * dimensions)
            expected = bytes((0, 0, _UNSIGNED_BYTES, dimensions))
            if header[:4] != expected or len(header) != 4 + 4 * dimensions:
                raise _damaged(path, f"a file that begins with {expected.hex(' ')}", header[:4].hex(" ") or "nothing")
            shape = struct.unpack(f">{dimensions}I", header[4:])
            size = math.prod(shape)
            if size > MAX_VALUES:
                raise _damaged(path, f"at most {MAX_VALUES:,} values", f"a header that says {size:,}")
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, "a complete IDX file", str(error)) from error
    if len(content) != size:
        found = f"{len(content):,} bytes" if len(content) < size else "more"
        raise _damaged(path, f"{size:,} bytes after the header", found)
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _damaged(path: Path, expected: str, found: str) -> DataError:
    return DataError(
        f"{path} is damaged", code="source-damaged", expected=expected, found=found, action="copy or download it again"
    )
