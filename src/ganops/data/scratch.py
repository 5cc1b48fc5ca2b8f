"""Room for pixels that may not fit into memory: a file without a name, which the system removes by itself."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from ganops.data.form import Pixels
from ganops.errors import DataError


def scratch(folder: Path, shape: tuple[int, ...]) -> Pixels:
    """An array of `shape`, uint8 zeros, whose pages lie on the disk of `folder`; gone when nothing uses it any more.

    A killed process leaves nothing behind. Raises DataError when the disk has no room.
    """
    size = int(np.prod(shape, dtype=np.int64))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            # Reserved now: on a disk that fills up later, writing to the mapped pages would kill the process.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, dtype=np.uint8, mode="r+" if hasattr(os, "posix_fallocate") else "w+", shape=shape)
        except OSError as error:
            raise DataError(
                f"no room for the images beside {folder}",
                expected=f"{size / 2**20:,.0f} MiB free",
                found=error.strerror or str(error),
                action="free some disk space",
            ) from error
