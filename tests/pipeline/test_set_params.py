"""Settings are changed on the command line, with their comments, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ganops.errors import SettingsError
from ganops.params import load_params, read_resolved
from ganops.recipe import load_recipe
from pipeline.set_params import main

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPE = "pipeline/recipes/dcgan.yaml"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped settings."""
    (tmp_path / RECIPE).parent.mkdir(parents=True)
    for name in ("params.yaml", "pipeline/resolved.yaml", RECIPE):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_several_files_are_changed_at_once_and_keep_their_comments(home: Path) -> None:
    main("train.budget_scale=0.5", "recipes=[dcgan]", f"{RECIPE}:batch_size=32")
    params, recipe = load_params(home / "params.yaml"), load_recipe(home / RECIPE)
    assert (params.train.budget_scale, params.recipes, recipe.batch_size) == (0.5, ("dcgan",), 32)
    assert "# of weights, noise and data order" in (home / "params.yaml").read_text()
    assert "# images per turn, at least 2" in (home / RECIPE).read_text()


def test_a_key_that_a_recipe_has_not_is_added_by_a_plus_sign(home: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        main(f"{RECIPE}:micro_batches=2")
    assert raised.value.code == "unknown-key"
    main(f"{RECIPE}:+micro_batches=2")
    assert load_recipe(home / RECIPE).micro_batches == 2


def test_dvc_sees_other_recipes_at_once(home: Path) -> None:
    main("recipes=[dcgan]")
    resolved = read_resolved(home / "pipeline" / "resolved.yaml")
    assert resolved is not None
    assert resolved.recipes == ("dcgan",)


@pytest.mark.parametrize(
    "assignment",
    [
        "evaluate.features=mixture",
        "train.budget=2",
        f"{RECIPE}:batch_size=1",
        f"{RECIPE}:size=3",
        "nowhere.yaml:key=1",
    ],
)
def test_what_cannot_be_changes_nothing(home: Path, assignment: str) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*.yaml")}
    with pytest.raises(SettingsError):
        main("seed=8", f"{RECIPE}:budget_kimg=80", assignment)
    assert {path: path.read_bytes() for path in home.rglob("*.yaml")} == before
