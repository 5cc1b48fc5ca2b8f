"""Every shipped recipe, shrunk, goes through the train and the evaluate stage and leaves a model that can be scored."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from evaluated_home import PARAMS, make_home
from tiny_training import RECIPES, shrunk

from ganops.games.saved import load_game
from pipeline.stages.evaluate import main as evaluate
from pipeline.stages.reference import main as make_reference
from pipeline.stages.results import RECIPES as RECIPE_FILES
from pipeline.stages.results import evaluate_folder, run_file, train_folder
from pipeline.stages.train import main as train

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("shipped recipes")]

NAMES = sorted(path.stem for path in RECIPES.glob("*.yaml"))
TRAIN = "train: {device: cpu, sample_images: 4, sample_times: 1, validation_samples: 40}\n"
FEW_SCORES = {"fid, is, kid, prdc, memorisation, diversity, modes, by-class, label-accuracy": "fid, label-accuracy"}


@pytest.fixture(scope="module")
def home(tracking_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One checkout for all: digits, their reference, and a trained `dcgan` for the recipe that starts from it."""
    folder = tmp_path_factory.mktemp("shipped")
    make_home(folder)
    params = PARAMS + TRAIN
    for scores, fewer in FEW_SCORES.items():
        params = params.replace(scores, fewer)
    (folder / "params.yaml").write_text(params)
    shutil.copy(tracking_database, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(folder)
        make_reference()
        write_recipe("dcgan")
        train("dcgan")
        yield folder


def write_recipe(name: str) -> None:
    """The shrunk recipe as a file; JSON is YAML."""
    recipe = shrunk(name, kimg=0.048)
    if recipe.init is not None:
        start = recipe.init.model_copy(update={"model": str(train_folder("dcgan") / "model")})
        recipe = recipe.model_copy(update={"init": start})
    (RECIPE_FILES / f"{name}.yaml").write_text(recipe.model_dump_json())


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_and_is_scored(name: str, home: Path) -> None:
    write_recipe(name)
    train(name)
    evaluate(name)
    assert load_game(train_folder(name) / "model")
    assert json.loads(run_file(name).read_text())["recipe"] == name
    scores = json.loads((evaluate_folder(name) / "metrics.json").read_text())
    assert scores["fid"] > 0
    assert ("label_accuracy" in scores) == ("labels" in shrunk(name).needs)
