"""A bit that flips on the disk, where size and time of the file stay, is found before anything is learnt from it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from evaluated_home import make_home

from ganops.data.manifest import read_manifest
from ganops.data.packed import split_path
from ganops.data.prepare import prepare
from ganops.data.unaltered import require_unaltered
from ganops.errors import DataError
from ganops.params import DataParams
from ganops.workspace import Workspace


def flip(path: Path, place: int = -1) -> None:
    """Flip one bit, as a disk may."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_flipped_bit_is_found(tmp_path: Path, split: str) -> None:
    prepared = Workspace(make_home(tmp_path)).prepared
    require_unaltered(prepared)
    flip(split_path(prepared, "train" if split == "train" else "test"))
    with pytest.raises(DataError) as caught:
        require_unaltered(prepared, read_manifest(prepared))
    assert caught.value.code == "packed-altered"


def test_of_unpaired_data_both_domains_count(tmp_path: Path) -> None:
    domain = {"source": "digits"}
    params = DataParams(source="domains", image_size=8, channels=1, options={"A": domain, "B": {"source": "glyphs"}})
    prepare(params, tmp_path)
    require_unaltered(tmp_path)
    flip(split_path(tmp_path / "B", "test"))
    with pytest.raises(DataError) as caught:
        require_unaltered(tmp_path)
    assert caught.value.code == "packed-altered"
