"""`ganops sample` writes the same grid for the same seed, from a registered model, a folder or a trained recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image
from small_model import register_small, save_small_model

from ganops.errors import ModelError, RegistryError

Run = Callable[..., Result]


def test_a_registered_model_a_folder_and_a_recipe_give_the_same_images(tracking_home: Path, run: Run) -> None:
    register_small(tracking_home, seed=4)
    save_small_model(tracking_home / "results" / "train" / "tiny" / "model", seed=4)
    for number, model in enumerate(("models:/ganops@challenger", "models:/ganops/1", "model-4", "tiny")):
        result = run("sample", model, "-n", "5", "--seed", "3", "-o", f"{number}.png")
        assert result.output == f"{number}.png: 5 grey images of 8 x 8 pixels from {model}, seed 3\n"
    grids = {(tracking_home / f"{number}.png").read_bytes() for number in range(4)}
    assert len(grids) == 1
    run("sample", "tiny", "-n", "5", "--seed", "4", "-o", "other.png")
    assert (tracking_home / "other.png").read_bytes() not in grids


def test_the_grid_is_as_square_as_it_can_be_or_as_wide_as_asked(tracking_home: Path, run: Run) -> None:
    save_small_model(tracking_home / "model")
    run("sample", "model", "-n", "5")
    width, height = Image.open(tracking_home / "grid.png").size
    assert width > height, "three in the first row, two in the second"
    run("sample", "model", "-n", "5", "--columns", "1", "-o", "column.png")
    width, height = Image.open(tracking_home / "column.png").size
    assert height > 4 * width


def test_what_cannot_be_is_said_clearly(tracking_home: Path, run: Run) -> None:
    save_small_model(tracking_home / "results" / "train" / "tiny" / "model")
    nobody = run("sample", "dcgan").exception
    assert isinstance(nobody, ModelError)
    assert nobody.found == "trained here: tiny"
    labelled = run("sample", "tiny", "--label", "one").exception
    assert isinstance(labelled, ModelError)
    assert "makes no classes" in labelled.message
    missing = run("sample").exception
    assert isinstance(missing, RegistryError)
    assert missing.message == "models:/ganops@champion cannot be loaded"
    for arguments in (("-n", "0"), ("--seed", "-1"), ("--columns", "0")):
        assert run("sample", "tiny", *arguments).exit_code == 2


def test_a_class_is_made_on_demand(tracking_home: Path, run: Run) -> None:
    import torch
    from small_model import SPEC

    from ganops.games.build import build_game
    from ganops.games.saved import SavedModel, save_game
    from ganops.recipe import load_recipe

    recipe = load_recipe(Path(__file__).resolve().parents[2] / "pipeline" / "recipes" / "cgan.yaml")
    torch.manual_seed(0)
    save_game(Path("model"), build_game(recipe, SPEC), SavedModel(name="cgan", recipe=recipe, spec=SPEC))
    for label in ("zero", "one"):
        assert run("sample", "model", "-n", "4", "--label", label, "-o", f"{label}.png").exit_code == 0
    assert Path("zero.png").read_bytes() != Path("one.png").read_bytes()
    with pytest.raises(ModelError, match="there is no class 'two'"):
        raise run("sample", "model", "--label", "two").exception or AssertionError("no error")
