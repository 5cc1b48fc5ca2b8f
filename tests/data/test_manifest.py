"""A manifest comes back as it was written; a missing or damaged one is an error that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganops.data.manifest import Manifest, Rejected, manifest_path, read_manifest
from ganops.data.spec import DataSpec
from ganops.errors import DataError

MANIFEST = Manifest(
    source="images",
    origin="mine",
    digest="0" * 64,
    spec=DataSpec(shape=(3, 16, 16), classes=("cats", "Hündchen ☕")),
    split_by="content",
    counts={"train": 3, "test": 1},
    class_counts={"train": {"cats": 2, "Hündchen ☕": 1}, "test": {"cats": 1, "Hündchen ☕": 0}},
    rejected_count=1,
    rejected_reasons={"empty file": 1},
    rejected=(Rejected(name="a.png", reason="empty file"),),
)


def test_it_comes_back(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    assert read_manifest(tmp_path) == MANIFEST


def test_a_missing_one_says_which_stage_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="dvc repro prepare"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "{}", '{"digest": "x"}'])
def test_a_damaged_one_says_how_to_make_it_anew(tmp_path: Path, text: str) -> None:
    manifest_path(tmp_path).write_text(text)
    with pytest.raises(DataError, match="dvc repro --force prepare"):
        read_manifest(tmp_path)
