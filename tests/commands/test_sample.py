"""`ganops sample` writes the same picture for the same seed, from a registered model, a folder or a trained recipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import torch
from click.testing import Result
from PIL import Image
from playing import points_spec, spec_of
from small_model import SPEC, register_small, save_small_model

from ganops.commands._given import given_inputs
from ganops.data.spec import DataSpec
from ganops.errors import GanopsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.saved import SavedModel, save_game
from ganops.recipe import load_recipe
from ganops.workspace import WORKSPACE

RECIPES = Path(__file__).resolve().parents[2] / "pipeline" / "recipes"
Run = Callable[..., Result]


def save_recipe(name: str, spec: DataSpec, folder: Path) -> None:
    torch.manual_seed(0)
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    built_for = recipe_spec(recipe, spec)
    save_game(folder, build_game(recipe, built_for), SavedModel(name=name, recipe=recipe, spec=built_for))


def code_of(result: Result) -> str:
    assert isinstance(result.exception, GanopsError), result.output
    return result.exception.code


def test_a_registered_model_a_folder_and_a_recipe_give_the_same_images(tracking_home: Path, run: Run) -> None:
    register_small(tracking_home, seed=4)
    save_small_model(tracking_home / WORKSPACE.model("tiny"), seed=4)
    for number, model in enumerate(("models:/ganops@challenger", "models:/ganops/1", "model-4", "tiny")):
        result = run("sample", model, "-n", "5", "--seed", "3", "-o", f"{number}.png")
        assert result.output == f"{number}.png: 5 grey images of 8 x 8 pixels from {model}, seed 3\n"
    grids = {(tracking_home / f"{number}.png").read_bytes() for number in range(4)}
    assert len(grids) == 1
    run("sample", "tiny", "-n", "5", "--seed", "4", "-o", "other.png")
    assert (tracking_home / "other.png").read_bytes() not in grids


def test_the_grid_is_square_or_as_wide_as_asked(tracking_home: Path, run: Run) -> None:
    save_small_model(tracking_home / "model")
    run("sample", "model", "-n", "4")
    width, height = Image.open(tracking_home / "grid.png").size
    assert width == height
    run("sample", "model", "-n", "5", "--columns", "1", "-o", "column.png")
    width, height = Image.open(tracking_home / "column.png").size
    assert height > 4 * width


def test_mistakes_are_named(tracking_home: Path, run: Run) -> None:
    save_small_model(tracking_home / WORKSPACE.model("tiny"))
    unknown = run("sample", "dcgan")
    assert code_of(unknown) == "no-model"
    assert isinstance(unknown.exception, GanopsError)
    assert unknown.exception.found == "trained here: tiny"
    assert code_of(run("sample", "tiny", "--given", "label=one")) == "unknown-input"
    assert code_of(run("sample", "tiny", "--task", "other")) == "unknown-task"
    assert run("sample", "models:/ganops@champion").exit_code == 1
    for arguments in (("-n", "0"), ("--seed", "-1"), ("--columns", "0"), ("--given", "label")):
        assert run("sample", "tiny", *arguments).exit_code == 2


def test_a_class_is_generated_on_demand(tracking_home: Path, run: Run) -> None:
    save_recipe("cgan", SPEC, Path("model"))
    for label in ("zero", "one"):
        assert run("sample", "model", "-n", "4", "--given", f"label={label}", "-o", f"{label}.png").exit_code == 0
    assert Path("zero.png").read_bytes() != Path("one.png").read_bytes()
    assert code_of(run("sample", "model", "--given", "label=two")) == "unknown-class"


def test_a_picture_file_is_translated(tracking_home: Path, run: Run) -> None:
    spec = spec_of(1, 32)
    save_recipe("denoise", spec, Path("model"))
    assert code_of(run("sample", "model", "-n", "1")) == "inputs-missing"
    Image.new("RGB", (90, 60), (200, 10, 10)).save("photo.jpg")
    done = run("sample", "model", "-n", "1", "--given", "source=photo.jpg", "-o", "clean.png")
    assert done.exit_code == 0, done.exception
    Image.open("clean.png").load()
    assert code_of(run("sample", "model", "--given", "source=nowhere.jpg")) == "bad-value"


@pytest.mark.parametrize("output", ["rows.json", None])
def test_vectors_are_drawn_or_written_as_numbers(tracking_home: Path, run: Run, output: str | None) -> None:
    save_recipe("mlp", points_spec(), Path("model"))
    done = run("sample", "model", "-n", "5", *(("-o", output) if output else ()))
    assert done.exit_code == 0, done.output
    if output:
        rows = json.loads(Path(output).read_text())
        assert [len(row["vector"]) for row in rows] == [2] * 5
    else:
        Image.open("grid.png").load()


@pytest.mark.parametrize("given", ["label", "=3", "task=BtoA", "n=4", "seed=1"])
def test_given_takes_inputs_alone(given: str) -> None:
    """Names of the command's own options are refused before a model is loaded."""
    with pytest.raises(click.BadParameter):
        given_inputs([given])


def test_a_read_only_folder_is_known_before_any_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    result = run("sample", "no-such-model")
    assert result.exit_code == 2
    assert "'grid.png' cannot be written: the folder . is read-only for you" in result.output


@pytest.mark.parametrize(
    "arguments", [("-n", "10000", "--columns", "1", "-o", "a.webp"), ("-n", "2000", "--columns", "1", "-o", "a.jpg")]
)
def test_a_picture_that_its_format_does_not_allow_is_refused_before_any_work(
    tracking_home: Path, run: Run, arguments: tuple[str, ...]
) -> None:
    save_small_model(tracking_home / "model")
    assert code_of(run("sample", "model", *arguments)) == "picture-too-large"
    assert not list(Path().glob("a.*"))
