"""Files are the old whole or the new whole, also on a full disk."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from ganops.atomic import atomic_path, write_text


def fill_disk(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_the_error_of_a_full_disk_names_the_file_and_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    write_text(path, "old")
    with pytest.raises(OSError, match="No space") as full:
        fill_disk(path)
    assert full.value.filename == str(path)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]
