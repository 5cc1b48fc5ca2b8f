"""Points of a known mixture go through preparation, training and evaluation as images do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_training import run

from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.data.prepare import prepare
from ganops.errors import EvaluationError
from ganops.evaluation.evaluate import evaluate_game, evaluate_images
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.reference import load_reference, make_reference
from ganops.games.build import build_game, recipe_spec
from ganops.games.saved import SavedModel, load_game, save_game
from ganops.params import DataParams, EvaluateParams, TrainParams
from ganops.recipe import load_recipe
from ganops.training.callback import Callback
from ganops.training.hardware import choose_hardware
from ganops.training.plan import make_plan
from ganops.training.randomness import seed_all
from ganops.training.trainer import Trainer

POINTS = Path(__file__).resolve().parents[2] / "pipeline" / "recipes" / "points.yaml"
PARAMS = EvaluateParams(
    samples=500, real_samples=1000, pairwise_samples=500, kid_subsets=5, kid_subset_size=100, batch_size=500
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ring, prepared, and its reference."""
    folder = tmp_path_factory.mktemp("ring")
    data = DataParams(source="ring2d", image_size=32, channels=1, test_share=0.2, max_rejected=0.0)
    prepare(data, folder / "prepared")
    make_reference(folder / "prepared", PARAMS, folder / "reference", seed=0)
    return folder


def test_real_points_score_as_what_they_are(home: Path) -> None:
    real = load_reference(home / "reference")
    assert real.description.classifier_accuracy == 1.0
    extractor = load_extractor(PARAMS, home / "reference")
    points = read_packed(home / "prepared", "test").images[:500]
    scores = {key: found.value for key, found in evaluate_images([points], real, extractor, PARAMS, 0).scores.items()}
    # 500 points of which 98.9 % are expected within three sigma: a standard error of 0.5 %.
    assert scores["high_quality"] == pytest.approx(0.989, abs=0.02)
    assert scores["high_quality_modes"] == scores["modes"] == 8
    assert scores["mode_kl"] == pytest.approx(0, abs=0.04)
    assert scores["fid"] == pytest.approx(0, abs=0.02)  # the ring's own variance is 0.32 each way


def test_one_mode_alone_is_seen(home: Path) -> None:
    train = read_packed(home / "prepared", "train")
    assert train.labels is not None
    one = train.images[train.labels == 3][:500]
    real, extractor = load_reference(home / "reference"), load_extractor(PARAMS, home / "reference")
    scores = evaluate_images([one], real, extractor, PARAMS, 0).scores
    assert scores["high_quality_modes"].value == 1
    assert scores["mode_kl"].value == pytest.approx(2.08, abs=0.15)  # log 8, of shares drawn from 1,000 points


def test_the_recipe_trains_on_them_and_its_saved_model_is_scored(home: Path, tmp_path: Path) -> None:
    recipe = load_recipe(POINTS)
    manifest, data = read_manifest(home / "prepared"), read_packed(home / "prepared", "train")
    settings = TrainParams(device="cpu", compile="never", budget_scale=0.01, sample_images=16, sample_times=1)
    spec = recipe_spec(recipe, manifest.spec)
    seed_all(0)
    game = build_game(recipe, spec)
    plan = make_plan(recipe, settings, "discriminator")
    hardware = choose_hardware(settings, plan.steps, data.images.dtype)
    trainer = run(Trainer(game, recipe, data, settings, plan, hardware, tmp_path, 0, Callback()))
    description = SavedModel(name="points", recipe=recipe, spec=spec)
    save_game(tmp_path / "model", trainer.game, description, trainer.ema.state())
    found = evaluate_game(load_game(tmp_path / "model"), home / "reference", home / "prepared", PARAMS, seed=0)
    assert found.samples.dtype == torch.float32
    assert found.samples.shape[1:] == (2, 1, 1)
    assert {"high_quality", "high_quality_modes", "mode_kl", "fid"} <= found.scores.keys()
    # The trained points lie around the ring's middle or beyond, not where an exploded generator would put them all.
    assert 0 < found.scores["diversity"].value < 2


def test_a_backbone_for_images_is_refused(home: Path, tmp_path: Path) -> None:
    other = PARAMS.model_copy(update={"extractor": "efficientnet-lite0"})
    with pytest.raises(EvaluationError, match="the data are vectors") as caught:
        make_reference(home / "prepared", other, tmp_path, seed=0)
    assert "classifier" in caught.value.action
