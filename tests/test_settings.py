"""Settings are read as DVC reads and writes them: the same file must mean the same to both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import load_yaml

from ganops.errors import SettingsError
from ganops.settings import read_yaml

SCALARS = ["off", "on", "no", "true", "False", "1e-3", "2.0e-4", "+2e4", ".5", "-1", "7", "null", "~", "e5", "1e", "a"]


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_means_the_same_to_dvc(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"key: {text}\nlist: [{text}]\n")
    expected: dict[str, Any] = load_yaml(path)
    assert read_yaml(path) == expected
    assert type(read_yaml(path)["key"]) is type(expected["key"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[1, 2]", "keys and values"),
        (b"a: [1", "not valid YAML"),
        (b"a: \xff", "cannot be read"),
        (b"a: !!python/object/apply:os.getcwd []", "not valid YAML"),
    ],
)
def test_what_is_no_settings_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        read_yaml(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml is missing"):
        read_yaml(tmp_path / "nowhere.yaml")
