"""The train stage: the step that the recipe selects is left as the model, its value in files and in MLflow."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evaluated_home import PARAMS, RECIPE, SPEC, make_home
from tiny_training import StopAfter

from ganops import tracked_training
from ganops.data.manifest import read_manifest
from ganops.data.packed import split_path
from ganops.errors import DataError, EvaluationError, TrainingError
from ganops.evaluation.metric_groups import module_of_group
from ganops.evaluation.validation_metric import NoValidation, ValidationMetric, load_validation_metric
from ganops.evaluation.validation_reference import DESCRIPTION, VALIDATION, ValidationDescription
from ganops.games.saved import load_game
from ganops.resolved import load_params
from ganops.tracked_training import Training, places_of
from ganops.tracking.run import read_run_file
from ganops.tracking.store import connect
from ganops.training.job import TrainingJob
from ganops.workspace import WORKSPACE
from pipeline.stages.reference import main as make_reference
from pipeline.stages.train import main

TRAIN = (
    "train: {device: cpu, precision: float32, sample_times: 2, validate_kimg: 0.04, validation_samples: 60, "
    "debug: 'off'}\n"
)
METRIC = "val/fid_classifier"
RESUMED = "training resumes from the checkpoint of step"


@pytest.fixture
def home(tracking_home: Path) -> Path:
    """A checkout with prepared digits and an empty tracking database; five validations in 50 steps of 4 images."""
    make_home(tracking_home)
    (tracking_home / "params.yaml").write_text(PARAMS + TRAIN)
    return tracking_home


def train(**changes: Any) -> dict[str, Any]:
    """training.json after the recipe `tiny` has been trained with these changes of it."""
    recipe = RECIPE.model_copy(update={"budget_kimg": 0.2} | changes)
    WORKSPACE.recipe("tiny").write_text(recipe.model_dump_json())
    main("tiny")
    return dict(json.loads((WORKSPACE.trained("tiny") / "training.json").read_text()))


def without_features() -> None:
    """A reference of data whose steps nothing affordable compares."""
    folder = WORKSPACE.reference / VALIDATION
    folder.mkdir(parents=True)
    description = ValidationDescription(spec=SPEC, features=None, split="test", count=100)
    (folder / DESCRIPTION).write_text(description.model_dump_json())


def validation_of_the_model() -> tuple[ValidationMetric, float]:
    """The validation metric that trainings use, and its value of the model that was left."""
    game = load_game(WORKSPACE.model("tiny"))
    metric = load_validation_metric(
        *(game, SPEC, WORKSPACE.reference, WORKSPACE.prepared), samples=60, seed=7, batch_size=RECIPE.batch_size
    )
    assert isinstance(metric, ValidationMetric)
    return metric, metric(game)


def test_leaves_the_step_that_the_recipe_selects_and_records_all_values(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_reference()
    facts = train()
    rows = list(csv.DictReader((WORKSPACE.trained("tiny") / "history.csv").open()))
    values = {int(row["step"]): float(row[METRIC]) for row in rows if row[METRIC]}
    assert list(values) == [10, 20, 30, 40, 50]
    best = min(values, key=values.__getitem__)
    assert (facts["selected"], facts[f"{METRIC}_best_step"]) == ("best", best)
    # history.csv has nine digits.
    assert [facts[f"{METRIC}_best"], facts[f"{METRIC}_last"]] == pytest.approx([values[best], values[50]], rel=1e-8)
    # Weights that were saved and loaded are the same; a network in eval mode may be summed in another order.
    metric, value = validation_of_the_model()
    assert metric.name == METRIC
    assert value == pytest.approx(values[best], rel=1e-4)
    run_id = read_run_file(WORKSPACE.run_file("tiny")).run_id
    tracked = {point.step: point.value for point in connect().client.get_metric_history(run_id, METRIC)}
    assert tracked == pytest.approx(values, rel=1e-8)
    assert connect().client.get_run(run_id).data.tags["selected"] == "best"
    assert "the best is selected" in capsys.readouterr().out
    last = train(select="last")
    assert (last["selected"], last[f"{METRIC}_last"]) == ("last", facts[f"{METRIC}_last"])
    assert validation_of_the_model()[1] == pytest.approx(values[50], rel=1e-4)


def test_without_features_the_last_step_is_selected_and_the_reason_printed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without_features()
    facts = train(budget_kimg=0.04)
    assert facts["selected"] == "last"
    assert not any(key.startswith("val/") for key in facts)
    assert "val/" not in (WORKSPACE.trained("tiny") / "history.csv").read_text()
    reason = "there are no features of grey images of 8 x 8 pixels"
    assert f"no validation metric ({reason}); the last step is selected" in capsys.readouterr().out


def test_a_recipe_s_own_seed_takes_the_place_of_the_common_one(home: Path) -> None:
    without_features()
    models = {}
    for seed in (None, 7, 8):
        facts = train(budget_kimg=0.04, seed=seed)
        assert facts["seed"] == (seed or 7)
        models[seed] = (WORKSPACE.model("tiny") / "generator.safetensors").read_bytes()
    assert models[None] == models[7] != models[8]


def test_a_debug_mode_needs_no_reference(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    WORKSPACE.params.write_text(PARAMS + TRAIN.replace("'off'", "two-steps"))
    assert train()["steps"] == 2
    assert "no validation metric (debug: two-steps)" in capsys.readouterr().out


def test_without_a_reference_nothing_is_trained(home: Path) -> None:
    with pytest.raises(EvaluationError) as caught:
        train()
    assert caught.value.code == "damaged-validation"
    assert str(WORKSPACE.reference) in caught.value.found
    assert "dvc repro --force --single-item reference" in caught.value.action
    assert not WORKSPACE.checkpoints.exists()
    assert not WORKSPACE.trained("tiny").exists()


def test_another_classifier_begins_another_training(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So does an edit of the metric: its file belongs to the code of the training."""
    make_reference()
    manifest, params = read_manifest(WORKSPACE.prepared), load_params(WORKSPACE.params)
    job = TrainingJob("tiny", RECIPE, params.train, params.seed, manifest.spec, manifest.digest)
    game = job.new_game()
    metric = load_validation_metric(
        *(game, SPEC, WORKSPACE.reference, WORKSPACE.prepared), samples=60, seed=7, batch_size=4
    )
    assert isinstance(metric, ValidationMetric)
    described = metric.real.description.model_copy(update={"weights": "b" * 64})
    real = replace(metric.real, description=described)
    other = ValidationMetric(metric.base, metric.group, real, SPEC, None, samples=60, seed=7, batch_size=4)
    reached: list[set[str]] = []

    def code_digest(_job: TrainingJob, more: Iterable[str] = ()) -> str:
        reached.append(set(more))
        return "code"

    monkeypatch.setattr(TrainingJob, "code_digest", code_digest)
    found = [
        Training(job, params, manifest, places_of("tiny"), None, game, each).folder
        for each in (NoValidation("none"), metric, other)
    ]
    assert len(set(found)) == 3
    modules = {ValidationMetric.__module__, module_of_group("fid")}
    assert reached == [set(), modules, modules]


def kill(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Train `tiny` and end it by a signal after so many steps; it leaves a checkpoint."""
    with monkeypatch.context() as patch:
        patch.setattr(tracked_training, "watch_for_interruption", lambda: nullcontext(StopAfter(after)))
        with pytest.raises(TrainingError) as caught:
            train()
    assert caught.value.code == "interrupted"
    assert [path.stem for path in WORKSPACE.checkpoints.glob("tiny/*/step-*.json")] == [f"step-{after:09d}"]


def run_ids() -> set[str]:
    client = connect().client
    found = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    return {run.info.run_id for run in found}


def test_a_killed_training_of_the_same_code_is_resumed_in_its_run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_features()
    train()
    undisturbed = (WORKSPACE.model("tiny") / "generator.safetensors").read_bytes()
    before = run_ids()
    kill(monkeypatch, after=20)
    train()
    assert f"{RESUMED} 20" in capsys.readouterr().out
    assert (WORKSPACE.model("tiny") / "generator.safetensors").read_bytes() == undisturbed
    assert run_ids() - before == {read_run_file(WORKSPACE.run_file("tiny")).run_id}
    assert not list(WORKSPACE.checkpoints.glob("tiny/*/*")), "a complete training leaves no checkpoints"


def test_a_training_whose_run_is_not_known_any_more_resumes_in_a_new_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_features()
    kill(monkeypatch, after=20)
    killed = run_ids()
    (file,) = WORKSPACE.checkpoints.glob("tiny/*/run.json")
    file.write_text('{"run_id": ')
    train()
    assert f"{RESUMED} 20" in capsys.readouterr().out
    assert read_run_file(WORKSPACE.run_file("tiny")).run_id not in killed


def test_a_killed_training_is_not_resumed_after_a_change_of_its_code(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It starts over, in a run of its own; the checkpoint of the former code is removed when it is complete."""
    without_features()
    kill(monkeypatch, after=20)
    killed = run_ids()
    with monkeypatch.context() as patch:
        patch.setattr(TrainingJob, "code_digest", lambda _job, _more=(): "another code")
        assert train()["steps"] == 50
    assert read_run_file(WORKSPACE.run_file("tiny")).run_id not in killed
    train()
    assert RESUMED not in capsys.readouterr().out
    assert not list(WORKSPACE.checkpoints.rglob("*.safetensors"))


def test_rows_that_were_altered_are_not_trained_on(home: Path) -> None:
    make_reference()
    path = split_path(WORKSPACE.prepared, "train")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        train()
    assert caught.value.code == "packed-altered"
