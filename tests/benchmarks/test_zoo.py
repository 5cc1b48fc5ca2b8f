"""The leaderboard of the zoo: every recipe is trained, scored and drawn once; an interrupted call is continued."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from evaluated_home import make_home
from PIL import Image

from benchmarks import zoo
from ganops.evaluation.evaluator import Evaluation
from ganops.params import Precision
from ganops.recipe import load_recipe
from pipeline.stages.reference import main as make_reference


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with prepared digits of 8 x 8 pixels and their reference."""
    make_home(tmp_path)
    monkeypatch.chdir(tmp_path)
    make_reference()
    return tmp_path


def run_zoo(monkeypatch: pytest.MonkeyPatch, *recipes: str) -> None:
    """The quick form of the script."""
    options = ["--title", "digits", "--quick", "--pictures", "pictures", "--json", "rows.json", "--recipes", *recipes]
    monkeypatch.setattr(sys, "argv", ["zoo", *options])
    zoo.main()


def contest_of(home: Path, seconds: float | None, precision: Precision) -> zoo.Contest:
    """The contest of `run_zoo`, for a call in Python."""
    prepared, reference = home / "data" / "prepared", home / "results" / "reference"
    rows, manifest = zoo.read_packed(prepared, "train"), zoo.read_manifest(prepared)
    return zoo.Contest(prepared, reference, seconds, precision, zoo.protocol_for(reference, 100), rows, manifest)


def test_it_continues_after_a_kill(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The finished training is kept, the interrupted one is done again, and both are reported."""
    scored = zoo.evaluate_game

    def cut_off(*arguments: Any, label: str, **named: Any) -> Evaluation:
        if label.startswith("bigan"):
            raise KeyboardInterrupt
        return scored(*arguments, label=label, **named)

    with monkeypatch.context() as patch:
        patch.setattr(zoo, "evaluate_game", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run_zoo(patch, "dcgan", "bigan")
    done = home / "results" / "zoo" / "digits" / "dcgan-0.json"
    before = done.stat().st_mtime_ns
    assert not done.with_name("bigan-0.json").exists()
    run_zoo(monkeypatch, "dcgan", "bigan")
    assert done.stat().st_mtime_ns == before
    said = capsys.readouterr().out
    assert "| `dcgan` |" in said
    assert "| `bigan` |" in said
    rows = json.loads((home / "rows.json").read_text())
    assert {row["name"] for row in rows} == {"digits, dcgan", "digits, bigan"}
    assert {row["baseline"] for row in rows} == {"dcgan"}
    assert all(row["value"] > 0 for row in rows)
    bigan = json.loads(done.with_name("bigan-0.json").read_text())
    assert bigan["kimg"] > 0
    assert {"fid", "kid", "precision", "recall", "coverage"} <= set(bigan["scores"])
    with (
        Image.open(home / "pictures" / "zoo-digits.png") as strips,
        Image.open(done.parent / "bigan-0" / "samples.png") as grid,
    ):
        assert strips.width == 2 * (116 + grid.width + 8)
    with Image.open(home / "pictures" / "zoo-digits-figures.png") as figures:
        assert figures.height > 50


def test_a_result_of_other_settings_is_not_taken(home: Path) -> None:
    contest = contest_of(home, seconds=1.0, precision="auto")
    recipe = load_recipe(zoo.RECIPES / "dcgan.yaml")
    longer = contest_of(home, seconds=2.0, precision="auto")
    others = {contest.identity(recipe, 1), longer.identity(recipe, 0), contest.identity(recipe, 0)}
    assert len(others) == 3
    assert contest.identity(recipe, 0) == contest.identity(load_recipe(zoo.RECIPES / "dcgan.yaml"), 0)


def test_every_shipped_recipe_is_asked_for_or_left_out_with_a_reason() -> None:
    assert {*zoo.ORDER, *zoo.LEFT_OUT} == {file.stem for file in zoo.RECIPES.glob("*.yaml")}
    assert not {*zoo.ORDER} & {*zoo.LEFT_OUT}


def test_with_its_own_budget_a_recipe_sees_as_many_images_as_it_asks_for(home: Path) -> None:
    contest = contest_of(home, seconds=None, precision="float32")
    recipe = load_recipe(zoo.RECIPES / "mlp.yaml").model_copy(update={"budget_kimg": 1.28})
    assert zoo.fitted(contest, recipe) is recipe
    trainer = zoo.trainer_of(contest, recipe, 0, home)
    assert trainer.plan.steps * trainer.plan.images_per_step == 1280
    assert trainer.hardware.precision_name == "float32"
    other = contest_of(home, seconds=None, precision="bfloat16")
    assert contest.identity(recipe, 0) != other.identity(recipe, 0)
