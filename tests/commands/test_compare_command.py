"""`ganops compare` draws both sides from the same seed and says which is better."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from example_results import SHARED, scores, write_recipe_results
from page import Page
from playing import spec_of

from ganops.commands.compare import command, pick
from ganops.errors import GanopsError
from ganops.evaluation.scores import NO_SCORES
from ganops.games.build import build_game
from ganops.games.saved import SavedModel, save_game
from ganops.recipe import load_recipe

RECIPES = Path(__file__).resolve().parents[2] / "pipeline" / "recipes"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which two small recipes were trained and scored."""
    for name, fid in (("mlp", 20.0), ("dcgan", 10.0)):
        write_recipe_results(tmp_path, name, scores(fid=(fid, 0.5)))
        torch.manual_seed(0)
        recipe, spec = load_recipe(RECIPES / f"{name}.yaml"), spec_of(1, 28)
        folder = tmp_path / "results" / "train" / name / "model"
        save_game(folder, build_game(recipe, spec), SavedModel(name=name, recipe=recipe, spec=spec))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_two_recipes_on_one_page(root: Path) -> None:
    result = CliRunner().invoke(command, ["mlp", "dcgan", "-o", "both.html"], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.output.split("\n")[1].endswith("better")
    page = Page((root / "both.html").read_text())
    page.assert_self_contained()
    assert len(page.images()) == 2
    assert "dcgan-generator" in page.text


def test_the_same_seed_draws_the_same_page(root: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        CliRunner().invoke(command, ["mlp", "mlp", "-o", f"{name}.html", "--seed", seed], catch_exceptions=False)
    assert (root / "a.html").read_text() == (root / "b.html").read_text() != (root / "c.html").read_text()


def test_an_unknown_name_says_what_there_is(root: Path) -> None:
    with pytest.raises(GanopsError) as error:
        CliRunner().invoke(command, ["mlp", "dgan"], catch_exceptions=False)
    assert error.value.found == "trained here: dcgan, mlp"


def test_of_several_protocols_the_pair_that_can_be_compared_is_picked() -> None:
    ours = [scores(fid=1.0), scores(SHARED | {"samples": 9}, fid=2.0)]
    theirs = [scores(SHARED | {"samples": 9}, fid=3.0)]
    assert pick(ours, theirs) == (ours[1], theirs[0])
    assert pick(ours, []) == (ours[0], NO_SCORES)
