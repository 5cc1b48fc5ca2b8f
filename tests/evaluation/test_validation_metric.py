"""The validation metric: FID in the classifier's features, of a folder that the full scores' settings leave alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from ganops.data.convert import convert
from ganops.data.packed import read_packed
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.extractors.classifier import load_classifier
from ganops.evaluation.frechet import frechet_distance
from ganops.evaluation.reference import make_reference
from ganops.evaluation.statistics import statistics_of
from ganops.evaluation.validation_metric import SEED_OFFSET, ValidationMetric
from ganops.evaluation.validation_reference import VALIDATION, classifier_of, read_validation, write_validation
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.sampling import sample_images
from ganops.params import ClassifierParams, EvaluateParams
from ganops.recipe import load_recipe

SEED = 7
DCGAN = Path(__file__).resolve().parents[2] / "pipeline" / "recipes" / "dcgan.yaml"


def game(size: int = 16, channels: int = 1) -> Game:
    """An untrained DCGAN in training mode: its batch norms would move if it made samples like that."""
    torch.manual_seed(0)
    return build_game(load_recipe(DCGAN), DataSpec(shape=(channels, size, size))).train()


def light(reference: Path, samples: int = 300, batch_size: int = 64) -> ValidationMetric:
    return ValidationMetric(*read_validation(reference), samples, SEED, batch_size)


def test_is_the_frechet_distance_to_all_training_images(reference_folder: Path, prepared: Path) -> None:
    made = torch.cat(list(sample_images(game(), 300, SEED + SEED_OFFSET)))
    classifier = load_classifier(reference_folder / VALIDATION)
    sides = (statistics_of([classifier(images).features]) for images in (made, read_packed(prepared, "train").images))
    # Float32 features of other batches differ in the last digit.
    assert light(reference_folder)(game()) == pytest.approx(frechet_distance(*sides), rel=1e-4)


def test_is_the_same_again_and_in_other_batches(reference_folder: Path) -> None:
    first = light(reference_folder)(game())
    assert light(reference_folder)(game()) == first
    assert light(reference_folder, batch_size=97)(game()) == pytest.approx(first, rel=1e-4)  # float32 features


def test_leaves_the_game_and_the_random_generators_alone(reference_folder: Path) -> None:
    scored, score = game(), light(reference_folder)
    random = torch.get_rng_state()
    before = {name: tensor.clone() for name, tensor in scored.state_dict().items()}
    threads = torch.get_num_threads()
    score(scored)
    assert torch.equal(torch.get_rng_state(), random)
    assert scored.training
    assert all(module.training for module in scored.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in scored.state_dict().items())
    assert torch.get_num_threads() == threads


def test_images_of_another_shape_are_brought_to_the_data_s(reference_folder: Path) -> None:
    """A recipe with an image size of its own; the score is that of its images made to fit."""
    classifier, real = read_validation(reference_folder)
    made = convert(torch.cat(list(sample_images(game(32, 3), 300, SEED + SEED_OFFSET))), (1, 16, 16))
    expected = frechet_distance(statistics_of([classifier(made).features]), real)
    assert light(reference_folder)(game(32, 3)) == pytest.approx(expected, rel=1e-4)  # float32 features


def test_settings_of_the_full_scores_leave_its_files_as_they_are(
    prepared: Path, params: EvaluateParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a change of them would train every recipe anew."""
    (tmp_path / "pixel_features.py").write_text("from torch import nn\n\ndef pixels():\n    return nn.Flatten()\n")
    monkeypatch.syspath_prepend(tmp_path)
    quick = params.model_copy(update={"classifier": ClassifierParams(epochs=1, width=4), "pairwise_samples": 20})
    others = {"split": "test", "real_samples": 100, "pairwise_samples": 40, "neighbours": 3}
    others |= {"extractor": "custom", "custom": "pixel_features:pixels"}
    make_reference(prepared, quick, tmp_path / "one", SEED)
    make_reference(prepared, quick.model_copy(update=others), tmp_path / "other", SEED)
    files = sorted(path.name for path in (tmp_path / "one" / VALIDATION).iterdir())
    assert files == ["classifier.json", "classifier.safetensors", "light.json", "statistics.npz"]
    for name in files:
        one, other = ((tmp_path / folder / VALIDATION / name).read_bytes() for folder in ("one", "other"))
        assert one == other, name
    assert read_validation(tmp_path / "other")[1].count == len(read_packed(prepared, "train"))


def test_the_reference_names_the_classifier_or_says_that_there_is_none(reference_folder: Path, tmp_path: Path) -> None:
    assert classifier_of(reference_folder) == load_classifier(reference_folder / VALIDATION).weights_digest
    write_validation(tmp_path, None, None)
    assert classifier_of(tmp_path) is None
    assert json.loads((tmp_path / VALIDATION / "light.json").read_text()) == {"classifier": None}


@pytest.mark.parametrize("file", ["light.json", "classifier.json", "classifier.safetensors", "statistics.npz"])
def test_missing_and_damaged_files_are_refused(file: str, reference_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(reference_folder / VALIDATION, tmp_path / VALIDATION)
    read = classifier_of if file == "light.json" else read_validation
    path = tmp_path / VALIDATION / file
    path.write_bytes(path.read_bytes()[:10])
    with pytest.raises(EvaluationError):
        read(tmp_path)
    path.unlink()
    with pytest.raises(EvaluationError, match="reference"):
        read(tmp_path)
