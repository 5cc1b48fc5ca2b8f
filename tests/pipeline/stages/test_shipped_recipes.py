"""Shipped recipes of every kind, shrunk, go through the train and the evaluate stage and leave scored models.

That every recipe takes steps, is saved and loaded is tested in tests/recipes, that it resumes in tests/training.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from evaluated_home import PARAMS, make_home
from tiny_training import RECIPES, shrunk

from ganops.evaluation.scores import read_scores
from ganops.games.saved import load_game
from ganops.workspace import WORKSPACE
from pipeline.stages.evaluate import main as evaluate
from pipeline.stages.reference import main as make_reference
from pipeline.stages.train import main as train

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("shipped recipes")]


def one_of_each_kind() -> list[str]:
    """The first recipe with each game, set of needs, and start, which is all that the stages can tell apart.

    Those that need pairs, label maps or domains are not for the digits.
    """
    recipes = {path.stem: shrunk(path.stem) for path in sorted(RECIPES.glob("*.yaml"), reverse=True)}
    recipes = {name: recipe for name, recipe in recipes.items() if not set(recipe.needs) - {"labels"}}
    kinds = {(each.game["kind"], tuple(each.needs), bool(each.init)): name for name, each in recipes.items()}
    return sorted(kinds.values())


TRAIN = "train: {device: cpu, sample_images: 4, sample_times: 1, validation_samples: 40}\n"
SLOW = (
    "    is: {splits: 3}\n    kid: {subsets: 4, subset_size: 60}\n    prdc: {}\n    memorisation: {}\n"
    "    diversity: {}\n    modes: {}\n    by-class: {}\n"
)


@pytest.fixture(scope="module")
def home(tracking_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One checkout for all: digits, their reference, and a trained `dcgan` for the recipe that starts from it."""
    folder = tmp_path_factory.mktemp("shipped")
    make_home(folder)
    params = PARAMS + TRAIN
    assert SLOW in params
    (folder / "params.yaml").write_text(params.replace(SLOW, "    pairs: {}\n"))
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
        start = recipe.init.model_copy(update={"model": str(WORKSPACE.model("dcgan"))})
        recipe = recipe.model_copy(update={"init": start})
    WORKSPACE.recipe(name).write_text(recipe.model_dump_json())


@pytest.mark.parametrize("name", one_of_each_kind())
def test_it_trains_and_is_scored(name: str, home: Path) -> None:
    write_recipe(name)
    train(name)
    evaluate(name)
    assert load_game(WORKSPACE.model(name))
    assert json.loads(WORKSPACE.run_file(name).read_text())["recipe"] == name
    scores = read_scores(WORKSPACE.evaluated(name) / "scores.json", "evaluate")
    assert scores["fid_classifier"].value > 0
    assert ("label_accuracy" in scores) == (load_game(WORKSPACE.model(name)).task.class_column is not None)
