"""An array on disk can be written, leaves no name behind, and is an error when the disk is full."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ganops.data.disk_array import disk_array
from ganops.errors import DataError


def test_it_starts_as_zeros_and_keeps_what_is_written(tmp_path: Path) -> None:
    room = disk_array(tmp_path / "new", (5, 3, 8, 8), np.uint8)
    assert not room.any()
    room[4] = 7
    assert room[4].min() == 7
    assert room[:4].max() == 0
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system reserves no room on a disk")
def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        disk_array(tmp_path, (2**20, 2**20, 2**10), np.uint8)  # a PiB
    assert error.value.code == "disk-full"
