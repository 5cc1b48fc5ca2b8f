"""IDX files are read plain or gzipped, and anything that is not a complete IDX file is an error that names it."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from ganops.data.idx import read_idx
from ganops.errors import DataError

VALUES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
CONTENT = struct.pack(">4B3I", 0, 0, 8, 3, 2, 3, 4) + VALUES.tobytes()


@pytest.mark.parametrize("name", ["a-ubyte", "a-ubyte.gz"])
def test_values_and_shape_come_back(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(CONTENT) if name.endswith(".gz") else CONTENT)
    assert (read_idx(tmp_path / name, 3) == VALUES).all()


DAMAGED = {
    "empty": b"",
    "cut in the header": CONTENT[:9],
    "cut in the values": CONTENT[:-1],
    "too long": CONTENT + b"\0",
    "other magic number": b"\x89PNG" + CONTENT[4:],
    "other number of dimensions": struct.pack(">4BI", 0, 0, 8, 1, 24) + VALUES.tobytes(),
    "other type of values": b"\0\0\x0d\x03" + CONTENT[4:],
    "announces more than a machine has": struct.pack(">4B3I", 0, 0, 8, 3, 2**31, 2**31, 2**31),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_files_are_errors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a-ubyte").write_bytes(content)
    with pytest.raises(DataError) as error:
        read_idx(tmp_path / "a-ubyte", 3)
    assert error.value.code == "source-damaged"
    assert "a-ubyte" in error.value.message


@pytest.mark.parametrize(
    "content",
    [CONTENT, gzip.compress(CONTENT)[:-12], gzip.compress(CONTENT)[:-1], b""],
    ids=["no gzip", "cut in the middle", "last byte missing", "empty"],  # gzip's bytes hold the time of day
)
def test_damaged_gzip_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a-ubyte.gz").write_bytes(content)
    with pytest.raises(DataError) as error:
        read_idx(tmp_path / "a-ubyte.gz", 3)
    assert error.value.code == "source-damaged"
