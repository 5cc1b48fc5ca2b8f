"""The validation metric: any cheap metric, of a folder that the full scores' settings leave alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from playing import spec_of
from scoring import DIGITS, IMAGE16, write_data

from ganops.data.fields.image import ImageField
from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError, SettingsError
from ganops.evaluation.all_pairs import compare
from ganops.evaluation.extractors.classifier import load_classifier
from ganops.evaluation.frechet import frechet_distance
from ganops.evaluation.reference import make_reference
from ganops.evaluation.statistics import statistics_of
from ganops.evaluation.validation_metric import (
    MOST_SAMPLES,
    SEED_OFFSET,
    NoValidation,
    ValidationMetric,
    load_validation_metric,
)
from ganops.evaluation.validation_reference import VALIDATION, read_validation
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.sampling import sample_outputs
from ganops.params import ClassifierParams, EvaluateParams
from ganops.recipe import load_recipe

SEED = 7
DCGAN = Path(__file__).resolve().parents[2] / "pipeline" / "recipes" / "dcgan.yaml"
SPEC = spec_of(1, 16, DIGITS)


def game(spec: DataSpec = SPEC) -> Game:
    """An untrained DCGAN in training mode: its batch norms would move if it made samples like that."""
    torch.manual_seed(0)
    return build_game(load_recipe(DCGAN), spec).train()


def validation(
    reference: Path, prepared: Path, metric: str = "auto", spec: DataSpec = SPEC, samples: int = 300, size: int = 64
) -> ValidationMetric:
    found = load_validation_metric(
        game(spec), spec, reference, prepared, metric, samples=samples, seed=SEED, batch_size=size
    )
    assert isinstance(found, ValidationMetric), found
    return found


def test_is_the_frechet_distance_to_all_test_images(reference_folder: Path, prepared: Path) -> None:
    made = sample_outputs(game(), 300, SEED + SEED_OFFSET)["image"]
    classifier = load_classifier(reference_folder / VALIDATION)
    sides = (statistics_of([classifier(images).features]) for images in (made, read_packed(prepared, "test")["image"]))
    found = validation(reference_folder, prepared)
    assert (found.name, found.better) == ("val/fid_classifier", "lower")
    assert found.about == "FID (classifier) of 300 samples against 597 test images"
    # Float32 features of other batches differ in the last digit.
    assert found(game()) == pytest.approx(frechet_distance(*sides), rel=1e-4)


@pytest.mark.parametrize("metric", ["kid", "kid_classifier"])
def test_any_cheap_metric_can_validate(reference_folder: Path, prepared: Path, metric: str) -> None:
    made = sample_outputs(game(), 300, SEED + SEED_OFFSET)["image"]
    classifier = load_classifier(reference_folder / VALIDATION)
    sides = [classifier(images).features for images in (made, read_packed(prepared, "test")["image"])]
    found = validation(reference_folder, prepared, metric)
    assert (found.name, found.better) == ("val/kid_classifier", "lower")
    expected = compare(*sides, seed=SEED + SEED_OFFSET, subsets=(50, 300), neighbours=None).distance
    assert expected is not None
    assert found(game()) == pytest.approx(expected.mean, rel=1e-3)
    assert validation(reference_folder, prepared, "precision").better == "higher"
    assert 1 <= validation(reference_folder, prepared, "modes")(game()) <= 10


@pytest.mark.parametrize("metric", ["memorisation", "path_length", "cas", "diversity", "intra_kid"])
def test_metrics_that_cannot_validate_are_refused(reference_folder: Path, prepared: Path, metric: str) -> None:
    with pytest.raises(SettingsError) as caught:
        validation(reference_folder, prepared, metric)
    assert caught.value.code == "not-a-validation-metric"


def test_an_unknown_metric_is_refused(reference_folder: Path, prepared: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        validation(reference_folder, prepared, "fdi")
    assert caught.value.code == "unknown-metric"


def test_a_metric_of_other_tasks_has_a_reason(reference_folder: Path, prepared: Path) -> None:
    found = load_validation_metric(game(), SPEC, reference_folder, prepared, "psnr", samples=10, seed=0, batch_size=10)
    assert found == NoValidation("psnr needs a task that makes images and whose test data hold the true ones")


def test_is_the_same_again_and_in_other_batches(reference_folder: Path, prepared: Path) -> None:
    first = validation(reference_folder, prepared)(game())
    assert validation(reference_folder, prepared)(game()) == first
    assert validation(reference_folder, prepared, size=97)(game()) == pytest.approx(first, rel=1e-4)  # float32 features


def test_its_digest_says_what_decides_its_values(reference_folder: Path, prepared: Path) -> None:
    one = validation(reference_folder, prepared).digest
    assert one == validation(reference_folder, prepared, size=97).digest
    others = {
        validation(reference_folder, prepared, samples=299).digest,
        validation(reference_folder, prepared, "kid").digest,
    }
    assert len(others | {one}) == 3


def test_leaves_the_game_and_the_random_generators_alone(reference_folder: Path, prepared: Path) -> None:
    scored, score = game(), validation(reference_folder, prepared)
    random = torch.get_rng_state()
    before = {name: tensor.clone() for name, tensor in scored.state_dict().items()}
    threads, tensor_float = torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    score(scored)
    assert torch.equal(torch.get_rng_state(), random)
    assert scored.training
    assert all(module.training for module in scored.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in scored.state_dict().items())
    assert (torch.get_num_threads(), torch.backends.cudnn.allow_tf32) == (threads, tensor_float)


def test_images_of_another_shape_are_brought_to_the_data_s(reference_folder: Path, prepared: Path) -> None:
    """A recipe with an image size of its own; the score is that of its images made to fit."""
    large = spec_of(3, 32, DIGITS)
    real = read_validation(reference_folder)
    assert real.extractor is not None
    assert real.column is not None
    made = sample_outputs(game(large), 300, SEED + SEED_OFFSET)["image"]
    fitted = ImageField(channels=3, size=32).convert(made, IMAGE16)
    expected = frechet_distance(statistics_of([real.extractor(fitted).features]), real.column.statistics)
    found = validation(reference_folder, prepared, spec=large)(game(large))
    assert found == pytest.approx(expected, rel=1e-4)  # float32 features


def test_settings_of_the_full_scores_leave_its_files_as_they_are(
    prepared: Path, params: EvaluateParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a change of them would train every recipe again."""
    (tmp_path / "pixel_features.py").write_text("from torch import nn\n\ndef pixels():\n    return nn.Flatten()\n")
    monkeypatch.syspath_prepend(tmp_path)
    quick = params.model_copy(update={"classifier": ClassifierParams(epochs=1, width=4), "pairwise_samples": 20})
    others = {"real_samples": 100, "pairwise_samples": 40, "metrics": {"fid": {}}, "samples": 99}
    others |= {"features": "custom", "custom": "pixel_features:pixels"}
    make_reference(prepared, quick, tmp_path / "one", SEED)
    make_reference(prepared, quick.model_copy(update=others), tmp_path / "other", SEED)
    files = sorted(path.name for path in (tmp_path / "one" / VALIDATION).iterdir())
    expected = ["classifier.json", "classifier.safetensors", "features.safetensors", "statistics.npz"]
    assert files == [*expected, "validation.json"]
    for name in files:
        one, other = ((tmp_path / folder / VALIDATION / name).read_bytes() for folder in ("one", "other"))
        assert one == other, name
    column = read_validation(tmp_path / "other").column
    assert column is not None
    assert column.statistics.count == len(read_packed(prepared, "test"))


def test_it_is_of_the_split_that_the_final_scores_are_not_of(
    prepared: Path, params: EvaluateParams, tmp_path: Path
) -> None:
    make_reference(prepared, params.model_copy(update={"split": "test"}), tmp_path, SEED)
    description = read_validation(tmp_path).description
    assert (description.split, description.count) == ("train", 1200)


def test_unlabelled_data_are_validated_by_few_samples_of_imagenets_features(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (60, 1, 16, 16), dtype=torch.uint8, generator=generator)
    rows = Rows({"image": images})
    write_data(tmp_path / "data", {"image": IMAGE16}, rows, rows.select(slice(0, 20)))
    make_reference(tmp_path / "data", EvaluateParams(samples=10), tmp_path / "out", SEED)
    spec = DataSpec(fields={"image": IMAGE16})
    found = validation(tmp_path / "out", tmp_path / "data", spec=spec, samples=2000)
    assert found.name == "val/fid_efficientnet-lite0"
    assert found.samples == MOST_SAMPLES["efficientnet-lite0"]
    assert "60 train images" in found.about  # 20 test images would say too little
    few = validation(tmp_path / "out", tmp_path / "data", spec=spec, samples=8)
    assert few(game(spec)) > 0


@pytest.mark.parametrize(
    "file", ["validation.json", "classifier.json", "classifier.safetensors", "statistics.npz", "features.safetensors"]
)
def test_missing_and_damaged_files_are_refused(file: str, reference_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(reference_folder / VALIDATION, tmp_path / VALIDATION)
    path = tmp_path / VALIDATION / file
    for damaged in (path.read_bytes()[:10], b"\xff" * 100):
        path.write_bytes(damaged)
        with pytest.raises(EvaluationError):
            read_validation(tmp_path)
    path.unlink()
    with pytest.raises(EvaluationError):
        read_validation(tmp_path)
