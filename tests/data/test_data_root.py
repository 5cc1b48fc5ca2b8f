"""Raw files are looked for where they were said to be, then where the project and the system keep theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from image_files import write_files

from ganops.data.data_root import DATA_HOME_VARIABLE, DEBIAN_HOME, data_roots, find_files
from ganops.errors import DataError

RAW = Path("data/raw")


def test_the_setting_beats_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv(DATA_HOME_VARIABLE, str(other))
    assert data_roots(tmp_path, RAW) == [tmp_path, RAW, DEBIAN_HOME]
    assert data_roots(None, RAW) == [other, RAW, DEBIAN_HOME]
    monkeypatch.delenv(DATA_HOME_VARIABLE)
    assert data_roots(None, RAW) == [RAW, DEBIAN_HOME]


def test_a_home_that_is_not_a_folder_is_an_error_that_says_where_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError) as error:
        data_roots(tmp_path / "missing", RAW)
    assert error.value.code == "data-home-missing"
    assert error.value.found.startswith("data.home in params.yaml")
    monkeypatch.setenv(DATA_HOME_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(DataError) as error:
        data_roots(None, RAW)
    assert error.value.found.startswith(DATA_HOME_VARIABLE)


def test_the_first_complete_folder_is_taken(tmp_path: Path) -> None:
    write_files(
        tmp_path, {"one/set/a": b"", "two/set/a": b"", "two/set/b.gz": b"", "three/set/a": b"", "three/set/b": b""}
    )
    homes = [tmp_path / name for name in ("missing", "one", "two", "three")]
    assert find_files(homes, ("other", "set"), ("a", "b")) == [tmp_path / "two/set/a", tmp_path / "two/set/b.gz"]
    assert find_files(homes[:2], ("set",), ("a", "b")) is None
