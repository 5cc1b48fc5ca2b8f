"""The train stage: the step that the recipe wants is left as the model, and its score in files and in MLflow."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from evaluated_home import PARAMS, RECIPE, make_home

from ganops.data.manifest import read_manifest
from ganops.errors import EvaluationError
from ganops.evaluation.validation_metric import ValidationMetric
from ganops.evaluation.validation_reference import read_validation, write_validation
from ganops.games.saved import load_game
from ganops.params import load_params
from ganops.tracking.run import read_run_file
from ganops.tracking.store import connect
from pipeline.stages.reference import main as make_reference
from pipeline.stages.results import REFERENCE, run_file, train_folder
from pipeline.stages.train import Task, main

TRAIN = "train: {device: cpu, precision: float32, sample_times: 2, validate_kimg: 0.04, validation_samples: 60, debug: 'off'}\n"


@pytest.fixture
def home(tracking_home: Path) -> Path:
    """A checkout with prepared digits and an empty tracking database; five scores in 50 rounds of 4 images."""
    make_home(tracking_home)
    (tracking_home / "params.yaml").write_text(PARAMS + TRAIN)
    return tracking_home


def train(home: Path, **changes: Any) -> dict[str, Any]:
    """training.json after the recipe `tiny` has been trained with these changes of it."""
    recipe = home / "pipeline" / "recipes" / "tiny.yaml"
    recipe.write_text(RECIPE.model_copy(update={"budget_kimg": 0.2} | changes).model_dump_json())
    main("tiny")
    return dict(json.loads((train_folder("tiny") / "training.json").read_text()))


def score_of_the_model() -> float:
    score = ValidationMetric(*read_validation(REFERENCE), samples=60, seed=7, batch_size=RECIPE.batch_size)
    return score(load_game(train_folder("tiny") / "model"))


def test_leaves_the_step_that_the_recipe_wants_and_tells_all_scores(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_reference()
    facts = train(home)
    rows = list(csv.DictReader((train_folder("tiny") / "history.csv").open()))
    scores = {int(row["step"]): float(row["val_fid"]) for row in rows if row["val_fid"]}
    assert list(scores) == [10, 20, 30, 40, 50]
    best = min(scores, key=scores.__getitem__)
    assert (facts["selected"], facts["light_fid_best_step"]) == ("best", best)
    # history.csv has nine digits.
    assert [facts["light_fid_best"], facts["light_fid_last"]] == pytest.approx([scores[best], scores[50]], rel=1e-8)
    # Weights that were saved and loaded are the same; a network in eval mode may be summed in another order.
    assert score_of_the_model() == pytest.approx(scores[best], rel=1e-4)
    run_id = read_run_file(run_file("tiny")).run_id
    tracked = {point.step: point.value for point in connect().client.get_metric_history(run_id, "val_fid")}
    assert tracked == pytest.approx(scores, rel=1e-8)
    assert "the best is selected" in capsys.readouterr().out
    last = train(home, deliver="last")
    assert (last["selected"], last["light_fid_last"]) == ("last", facts["light_fid_last"])
    assert score_of_the_model() == pytest.approx(scores[50], rel=1e-4)


def test_without_a_classifier_the_last_step_is_delivered_with_a_word(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_validation(REFERENCE, None, None)
    facts = train(home, budget_kimg=0.04)
    assert facts["selected"] == "last"
    assert "val_fid" not in (train_folder("tiny") / "history.csv").read_text()
    assert "no validation metrics (results/reference has no classifier): the last step" in capsys.readouterr().out


def test_a_recipe_s_own_seed_takes_the_place_of_the_common_one(home: Path) -> None:
    write_validation(REFERENCE, None, None)
    models = {}
    for seed in (None, 7, 8):
        facts = train(home, budget_kimg=0.04, seed=seed)
        assert facts["seed"] == (seed or 7)
        models[seed] = (train_folder("tiny") / "model" / "generator.safetensors").read_bytes()
    assert models[None] == models[7] != models[8]


def test_a_debug_mode_needs_no_reference(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "params.yaml").write_text(PARAMS + TRAIN.replace("'off'", "two-steps"))
    assert train(home)["steps"] == 2
    assert "no validation metrics (debug: two-steps)" in capsys.readouterr().out


def test_without_a_reference_nothing_is_trained(home: Path) -> None:
    with pytest.raises(EvaluationError, match="dvc repro --force reference"):
        train(home)
    assert not (home / "checkpoints").exists()


def test_another_classifier_begins_another_training(home: Path) -> None:
    params, manifest = load_params(home / "params.yaml"), read_manifest(home / "data" / "prepared")
    tasks = [Task("tiny", params, RECIPE, manifest, classifier=found) for found in (None, "a" * 64, "b" * 64)]
    assert len({task.checkpoints for task in tasks}) == 3
