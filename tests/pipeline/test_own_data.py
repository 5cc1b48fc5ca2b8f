"""`make run DATA=path` writes any path into params.yaml, with `auto` for what follows from the data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ganops.errors import SettingsError
from ganops.params import AUTO_RECIPES, read_params
from pipeline.own_data import main

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["pictures", "with space", "a=b", "Bilder für \"uns\" 'hier'", "猫 # 1: x", "{curly} [square]", "100% $HOME"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "checkout"
    home.mkdir()
    for name in ("params.yaml", "Makefile"):
        shutil.copy(ROOT / name, home / name)
    monkeypatch.chdir(home)
    return home


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["inside", "relative", "absolute"])
def test_any_path_survives(home: Path, name: str, place: str) -> None:
    folder = home / "data" / name if place == "inside" else home.parent / name
    folder.mkdir(parents=True)
    given = {"inside": f"data/{name}", "relative": f"../{name}", "absolute": str(folder)}[place]
    main(given)
    params = read_params(home / "params.yaml")
    assert params.data.path is not None
    assert params.data.path.resolve() == folder
    assert (params.data.source, params.data.image_size, params.data.channels) == ("images", "auto", "auto")
    assert (params.recipes, params.evaluate.features, params.tracking.model) == (AUTO_RECIPES, "auto", "auto")
    text = (home / "params.yaml").read_text(encoding="utf-8")
    assert "# height and width in pixels" in text, "comments stay"
    assert "home: null " in text


def test_the_same_path_again_keeps_what_was_set_since_then(home: Path) -> None:
    (home / "pictures").mkdir()
    main("pictures")
    changed = (home / "params.yaml").read_text().replace("image_size: auto", "image_size: 128")
    (home / "params.yaml").write_text(changed)
    main("pictures")
    assert (home / "params.yaml").read_text() == changed


@pytest.mark.parametrize("path", ["nowhere", "", "~nobody-of-this-name/pictures", "x" * 5000, "a\0b"])
def test_a_path_that_does_not_exist_changes_nothing(home: Path, path: str) -> None:
    before = (home / "params.yaml").read_bytes()
    with pytest.raises(SettingsError) as raised:
        main(path)
    assert raised.value.code == "data-path-missing"
    assert (home / "params.yaml").read_bytes() == before


@pytest.mark.parametrize("name", NAMES)
def test_make_hands_the_path_on_as_it_is(home: Path, name: str) -> None:
    tools = home / ".venv" / "bin"
    tools.mkdir(parents=True)
    python = tools / "python"
    python.write_text(f"#!{sys.executable}\nimport sys\nprint(sys.argv[1:])\n")
    python.chmod(0o755)
    for needed in ("requirements/run.txt", "requirements/uv.txt", "requirements/install.sh", "pyproject.toml"):
        (home / needed).parent.mkdir(exist_ok=True)
        (home / needed).touch()
    (home / ".venv" / ".run-ready").touch()
    clean = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "run", f"DATA={name}"]
    done = subprocess.run(command, cwd=home, env=clean, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        str(["-m", "pipeline.own_data", name]),
        str(["-m", "pipeline.flows.run"]),
    ], done.stderr


def test_the_home_of_an_unknown_user_is_a_wrong_setting(home: Path) -> None:
    text = (home / "params.yaml").read_text().replace("  path: null", "  path: ~nobody-of-this-name/pictures", 1)
    (home / "params.yaml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        read_params(home / "params.yaml")
    assert (raised.value.code, raised.value.found) == ("bad-value", "'~nobody-of-this-name/pictures'")
