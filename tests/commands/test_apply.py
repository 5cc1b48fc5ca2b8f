"""`ganops apply` translates a folder with a saved model and says what it did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result
from image_files import png, write_files
from PIL import Image
from playing import pairs_spec
from small_model import save_small_model

from ganops.errors import GanopsError
from ganops.games.build import build_game, recipe_spec
from ganops.games.saved import SavedModel, save_game
from ganops.recipe import load_recipe

Run = Callable[..., Result]
RECIPES = Path(__file__).resolve().parents[2] / "pipeline" / "recipes"


@pytest.fixture
def model(tracking_home: Path) -> Path:
    """A translator of RGB pictures at 16 pixels with random weights."""
    torch.manual_seed(0)
    recipe = load_recipe(RECIPES / "pix2pix-l1.yaml")
    recipe.networks["generator"] |= {"width": 4, "max_width": 8}
    spec = recipe_spec(recipe, pairs_spec(3, 16))
    save_game(tracking_home / "model", build_game(recipe, spec), SavedModel(name="tiny", recipe=recipe, spec=spec))
    return tracking_home / "model"


def test_a_folder_is_translated_and_an_interrupted_call_goes_on(model: Path, run: Run) -> None:
    source = write_files(Path("photos"), {"a.png": png(0, 40), "deep/b.png": png(1, 9), "notes.txt": b"text"})
    done = run("apply", str(model), str(source), "-o", "out")
    assert done.exit_code == 0, done.exception
    assert done.stdout == "out: 2 pictures written, 1 files left out\n"
    assert "left out: notes.txt: not an image" in done.stderr
    assert [Image.open(Path("out") / name).size for name in ("a.png", "deep/b.png")] == [(40, 40), (9, 9)]
    Path("out/a.png").unlink()
    assert run("apply", str(model), str(source), "-o", "out").stdout.startswith("out: 1 pictures written, 1 kept")


def test_tiles_formats_and_mistakes(model: Path, tmp_path: Path, run: Run) -> None:
    source = write_files(tmp_path / "photos", {"a.png": png(0, 40)})
    assert (
        run("apply", str(model), str(source / "a.png"), "-o", "out", "--tile", "32", "--format", "jpeg").exit_code == 0
    )
    assert Image.open("out/a.jpg").format == "JPEG"
    for arguments, code in (
        (("--tile", "32", "--overlap", "8", "--format", "jpeg"), "other-settings"),
        (("--tile", "17"), "tile-size"),
        (("--overlap", "16"), "bad-overlap"),
        (("--task", "AtoB"), "unknown-task"),
        (("--given", "label=7"), "unknown-input"),
    ):
        failed = run("apply", str(model), str(source), "-o", "out", *arguments)
        assert isinstance(failed.exception, GanopsError), arguments
        assert failed.exception.code == code
    assert run("apply", str(model), "nowhere", "-o", "out").exit_code == 2
    assert run("apply", str(model), str(source)).exit_code == 2  # where to?


def test_a_model_that_makes_images_from_noise_is_refused(tracking_home: Path, run: Run) -> None:
    save_small_model(tracking_home / "noise")
    source = write_files(tracking_home / "photos", {"a.png": png(0)})
    failed = run("apply", "noise", str(source), "-o", "out")
    assert isinstance(failed.exception, GanopsError)
    assert failed.exception.code == "not-image-to-image"
    assert not Path("out").exists()
