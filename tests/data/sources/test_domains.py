"""Two domains from other sources keep their own sizes, orders and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from collecting import collect, collect_domains
from image_files import png, write_files

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.packed import read_domains
from ganops.data.prepare import prepare
from ganops.data.sources.source import find_source
from ganops.errors import SettingsError
from ganops.params import DataParams

DIGITS = {"source": "digits", "classes": ["3", "7"]}
ONES = {"source": "digits", "classes": ["1"], "channels": 3, "image_size": 8}


def test_handwriting_and_print_are_there_without_any_option(tmp_path: Path) -> None:
    manifest = prepare(DataParams(source="domains"), tmp_path)
    assert list(manifest.spec.fields) == ["A", "A_label", "B", "B_label"]
    assert manifest.spec.fields["A"] == manifest.spec.fields["B"] == ImageField(channels=1, size=32)
    assert sum(manifest.domain_counts["A"].values()) == 1797
    assert 200 < sum(manifest.domain_counts["B"].values()) < 300
    assert (manifest.source, manifest.origin) == ("domains", "digits and glyphs")
    test = read_domains(tmp_path, "test", manifest.spec)
    assert {name: len(rows) for name, rows in test.items()} == {
        name: counts["test"] for name, counts in manifest.domain_counts.items()
    }


def test_classes_of_one_data_set_are_chosen_and_counted_again(tmp_path: Path) -> None:
    whole = collect("digits", tmp_path, image_size=16)
    found = collect_domains("domains", tmp_path, image_size=16, options={"A": DIGITS, "B": ONES})
    assert found["A"].fields["label"] == CategoryField(classes=("3", "7"))
    assert list(found["B"].fields) == ["B"], "a single class says nothing"
    assert found["A"].columns["A"].shape[1:] == (1, 16, 16)
    assert found["B"].columns["B"].shape[1:] == (3, 8, 8)
    rows = found["A"].rows["train"]
    expected = [row for row in whole.rows["train"] if whole.columns["label"][row] in (3, 7)]
    assert rows.tolist() == expected
    assert (np.array([3, 7])[found["A"].columns["label"][rows]] == whole.columns["label"][rows]).all()


def test_two_classes_of_your_own_folder(tmp_path: Path) -> None:
    files = {f"{name}/{n}.png": png(10 * n + len(name)) for name in ("deer", "horse") for n in range(9)}
    path = write_files(tmp_path / "mine", files)
    options = {name: {"source": "images", "classes": [kind]} for name, kind in (("A", "horse"), ("B", "deer"))}
    manifest = prepare(DataParams(source="domains", path=path, options=options), tmp_path / "out")
    assert list(manifest.spec.fields) == ["A", "B"]
    assert manifest.spec.fields["A"] == ImageField(channels=3, size=16)
    assert [sum(counts.values()) for counts in manifest.domain_counts.values()] == [9, 9]


@pytest.mark.parametrize(
    ("domain", "code"),
    [
        ({"source": "digits", "classes": ["10"]}, "unknown-class"),
        ({"source": "glyphs-pairs", "classes": ["a"], "options": {"alphabets": ["digits"]}}, "unknown-class"),
        ({"source": "domains"}, "nested-domains"),
        ({"source": "digit"}, "unknown-kind"),
    ],
)
def test_what_is_no_domain_is_an_error(tmp_path: Path, domain: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsError) as error:
        collect_domains("domains", tmp_path, image_size=16, options={"A": domain})
    assert error.value.code == code


def test_files_of_both_are_looked_for(tmp_path: Path) -> None:
    assert find_source("domains").locate([tmp_path]) == []
    assert find_source("domains", {"A": {"source": "mnist"}}).locate([tmp_path]) is None
