"""A manifest comes back as it was written; a missing or damaged one is an error that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.manifest import Manifest, Rejected, manifest_path, read_manifest
from ganops.data.spec import DataSpec
from ganops.errors import DataError

MANIFEST = Manifest(
    source="images",
    origin="mine",
    digest="0" * 64,
    spec=DataSpec(
        fields={
            "image": ImageField(channels=3, size=16),
            "label": CategoryField(classes=("cats", "Hündchen ☕"), shares=(2 / 3, 1 / 3)),
        }
    ),
    split_by="content",
    counts={"train": 3, "test": 1},
    class_counts={"train": {"cats": 2, "Hündchen ☕": 1}, "test": {"cats": 1, "Hündchen ☕": 0}},
    rejected_count=1,
    rejected_reasons={"empty file": 1},
    rejected=(Rejected(name="a.png", reason="empty file"),),
)

WITH_UNKNOWN_FIELD = MANIFEST.model_dump_json().replace('"kind":"image"', '"kind":"smell"')


def test_it_comes_back(tmp_path: Path) -> None:
    MANIFEST.write(manifest_path(tmp_path))
    assert read_manifest(tmp_path) == MANIFEST


def test_a_missing_one_says_which_stage_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read_manifest(tmp_path)
    assert error.value.code == "manifest-missing"
    assert "dvc repro prepare" in error.value.action


@pytest.mark.parametrize("text", ["", "{", "{}", '{"digest": "x"}', WITH_UNKNOWN_FIELD])
def test_a_damaged_one_says_how_to_make_it_again(tmp_path: Path, text: str) -> None:
    manifest_path(tmp_path).write_text(text)
    with pytest.raises(DataError) as error:
        read_manifest(tmp_path)
    assert error.value.code == "manifest-unreadable"
    assert "dvc repro --force prepare" in error.value.action


@pytest.mark.parametrize(
    ("source", "origin", "name"),
    [("digits", "scikit-learn", "digits"), ("images", "cats.zip", "cats"), ("images", "mine.2", "mine.2")],
)
def test_its_name_is_that_of_the_source_or_of_the_users_own_folder(source: str, origin: str, name: str) -> None:
    assert MANIFEST.model_copy(update={"source": source, "origin": origin}).name == name
