"""Points of a known mixture go through preparation, training and evaluation as images do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from scoring import score_images
from tiny_training import run

from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.data.prepare import prepare
from ganops.errors import EvaluationError
from ganops.evaluation.evaluate import evaluate_game, open_evaluator
from ganops.evaluation.reference import make_reference
from ganops.games.saved import SavedModel, load_game, save_game
from ganops.params import DataParams, EvaluateParams, TrainParams
from ganops.recipe import load_recipe
from ganops.training.job import TrainingJob

POINTS = Path(__file__).resolve().parents[2] / "pipeline" / "recipes" / "points.yaml"
PARAMS = EvaluateParams(samples=500, real_samples=1000, pairwise_samples=500, batch_size=500)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ring, prepared, and its reference."""
    folder = tmp_path_factory.mktemp("ring")
    data = DataParams(source="ring2d")
    prepare(data, folder / "prepared")
    make_reference(folder / "prepared", PARAMS, folder / "reference", seed=0)
    return folder


def test_real_points_score_as_what_they_are(home: Path) -> None:
    evaluator = open_evaluator(home / "reference", home / "prepared", PARAMS, seed=0)
    assert evaluator.reference.description.classifier_accuracy == 1.0
    points = read_packed(home / "prepared", "test")["vector"][:500]
    scores = {key: found.value for key, found in score_images(evaluator, [points]).scores.items()}
    # 500 points of which 98.9 % are expected within three sigma: a standard error of 0.5 %.
    assert scores["high_quality"] == pytest.approx(0.989, abs=0.02)
    assert scores["high_quality_modes"] == scores["modes"] == 8
    assert scores["mode_kl"] == pytest.approx(0, abs=0.04)
    assert scores["fid_classifier"] == pytest.approx(0, abs=0.02)  # the ring's own variance is 0.32 each way


def test_one_mode_alone_is_seen(home: Path) -> None:
    train = read_packed(home / "prepared", "train")
    one = train["vector"][train["label"] == 3][:500]
    evaluator = open_evaluator(home / "reference", home / "prepared", PARAMS, seed=0)
    scores = score_images(evaluator, [one]).scores
    assert scores["high_quality_modes"].value == 1
    assert scores["mode_kl"].value == pytest.approx(2.08, abs=0.15)  # log 8, of shares drawn from 1,000 points


def test_the_recipe_trains_on_them_and_its_saved_model_is_scored(home: Path, tmp_path: Path) -> None:
    recipe = load_recipe(POINTS)
    manifest, rows = read_manifest(home / "prepared"), read_packed(home / "prepared", "train")
    settings = TrainParams(device="cpu", compile="never", budget_scale=0.01, sample_images=16, sample_times=1)
    job = TrainingJob("points", recipe, settings, 0, manifest.spec, manifest.digest)
    trainer = run(job.build([rows], tmp_path))
    description = SavedModel(name="points", recipe=recipe, spec=job.spec)
    save_game(tmp_path / "model", trainer.game, description, trainer.ema.state())
    found = evaluate_game(load_game(tmp_path / "model"), home / "reference", home / "prepared", PARAMS, seed=0)
    assert found.samples["vector"].dtype == torch.float32
    assert found.samples["vector"].shape[1:] == (2,)
    assert {"high_quality", "high_quality_modes", "mode_kl", "fid_classifier"} <= found.scores.keys()
    # The trained points lie around the ring's middle or beyond, not where an exploded generator would put them all.
    assert 0 < found.scores["diversity"].value < 2


def test_features_of_images_are_refused(home: Path, tmp_path: Path) -> None:
    other = PARAMS.model_copy(update={"features": "efficientnet-lite0"})
    with pytest.raises(EvaluationError) as caught:
        make_reference(home / "prepared", other, tmp_path, seed=0)
    assert caught.value.code == "features-of-images"
    assert "classifier" in caught.value.action
