"""Arrays that may not fit into memory: they lie in a file without a name, which the system removes by itself."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ganops.errors import DataError

T = TypeVar("T", bound=np.generic)


def disk_array(folder: Path, shape: tuple[int, ...], kind: type[T]) -> NDArray[T]:
    """Zeros of `shape` and `kind`, whose pages lie on the disk of `folder`; removed when nothing uses them any more.

    A killed process leaves nothing behind. Raises DataError when the disk is full.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize
    if size == 0:
        return np.zeros(shape, dtype=kind)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            # Reserved now: on a disk that fills up later, writing to the mapped pages would kill the process.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, dtype=kind, mode="r+" if hasattr(os, "posix_fallocate") else "w+", shape=shape)
        except OSError as error:
            raise DataError(
                f"the disk of {folder} has no space for the decoded images",
                code="disk-full",
                expected=f"{size / 2**20:,.0f} MiB free",
                found=error.strerror or str(error),
                action="free some disk space",
            ) from error
