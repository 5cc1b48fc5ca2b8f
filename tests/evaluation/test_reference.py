"""The reference: complete, the same again, and refused when it is damaged or does not fit the data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from ganops.data.manifest import Manifest
from ganops.data.packed import PackedImages, read_packed, write_packed
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError, SettingsError
from ganops.evaluation.evaluate import evaluate_images
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.extractors.classifier import load_classifier
from ganops.evaluation.knn import KNNIndex
from ganops.evaluation.real import Reference, draw
from ganops.evaluation.reference import load_reference, make_reference
from ganops.evaluation.statistics import statistics_of
from ganops.evaluation.validation_reference import VALIDATION
from ganops.params import EvaluateParams


def test_holds_what_follows_from_the_real_images(reference: Reference, prepared: Path, params: EvaluateParams) -> None:
    assert reference.folder is not None
    train = read_packed(prepared, "train")
    assert train.labels is not None
    features = load_classifier(reference.folder / VALIDATION)(train.images).features
    torch.testing.assert_close(reference.train.features, features, rtol=1e-4, atol=1e-5)
    assert reference.train.labels is not None
    assert torch.equal(reference.train.labels, train.labels)
    expected = statistics_of([features])
    torch.testing.assert_close(reference.statistics.mean, expected.mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(reference.statistics.covariance, expected.covariance, rtol=1e-4, atol=1e-5)
    assert len(reference.pairwise) == params.pairwise_samples == len(reference.kth_distances)
    own = torch.cdist(reference.pairwise_features, reference.pairwise_features)
    kth_distances = own.kthvalue(params.neighbours + 1, dim=1).values  # the first is the distance 0 to itself
    torch.testing.assert_close(reference.kth_distances, kth_distances, rtol=1e-3, atol=1e-3)
    held_out = KNNIndex(reference.train.features).nearest(reference.real["test"].features)[0][:, 0]
    torch.testing.assert_close(reference.held_out, held_out)


def test_the_same_seed_gives_the_same_files(
    reference_folder: Path, prepared: Path, params: EvaluateParams, tmp_path: Path
) -> None:
    make_reference(prepared, params, tmp_path, seed=7)
    for file in ("reference.json", "light/classifier.safetensors", "light/statistics.npz", "features.safetensors"):
        assert (tmp_path / file).read_bytes() == (reference_folder / file).read_bytes(), file


def test_a_part_of_the_real_images(prepared: Path, params: EvaluateParams, tmp_path: Path) -> None:
    """real_samples caps both splits; the rows say which images they are."""
    few = params.model_copy(update={"real_samples": 100, "split": "test"})
    made = make_reference(prepared, few, tmp_path, seed=7)
    assert made.counts == {"train": 100, "test": 100}
    found = load_reference(tmp_path)
    assert found.statistics.count == 100
    assert len(set(found.real["test"].rows.tolist())) == 100
    expected = load_classifier(tmp_path / VALIDATION)(
        read_packed(prepared, "test").images[found.real["test"].rows]
    ).features
    torch.testing.assert_close(found.compared.features, expected, rtol=1e-4, atol=1e-5)


def unlabelled(folder: Path, count: int = 30) -> Path:
    """Coloured noise without classes."""
    images = torch.randint(0, 256, (count, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    write_packed(folder, "train", PackedImages(images))
    write_packed(folder, "test", PackedImages(images[:0]))
    counts = {"train": count, "test": 0}
    Manifest(source="images", digest="f" * 64, spec=DataSpec(shape=(3, 8, 8)), counts=counts).write(folder)
    return folder


def test_data_without_classes_need_another_backbone(tmp_path: Path, params: EvaluateParams) -> None:
    with pytest.raises(EvaluationError, match="efficientnet-lite0 or inception-v3"):
        make_reference(unlabelled(tmp_path / "data"), params, tmp_path / "out", seed=7)
    assert not (tmp_path / "out" / "reference.json").exists()


def test_data_without_classes_and_without_a_test_split(tmp_path: Path, params: EvaluateParams) -> None:
    """With ImageNet's features: no classifier is trained, and nothing is held out."""
    photos = params.model_copy(update={"extractor": "efficientnet-lite0"})
    made = make_reference(unlabelled(tmp_path / "data"), photos, tmp_path / "out", seed=7)
    assert made.classifier is None
    found = load_reference(tmp_path / "out")
    assert len(found.held_out) == 0
    assert found.train.features.shape == (30, 1280)
    assert found.train.labels is None


def test_scores_by_class_with_features_of_another_network(
    prepared: Path, params: EvaluateParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A classifier is trained beside the extractor, which tells generated classes apart; the protocol names both."""
    (tmp_path / "pixel_features.py").write_text("from torch import nn\n\ndef pixels():\n    return nn.Flatten()\n")
    monkeypatch.syspath_prepend(tmp_path)
    own = params.model_copy(
        update={"extractor": "custom", "custom": "pixel_features:pixels", "scores": ("fid", "modes", "by-class")}
    )
    made = make_reference(prepared, own, tmp_path, seed=7)
    assert made.classifier == load_classifier(tmp_path / VALIDATION).weights_digest
    images, extractor = read_packed(prepared, "test").images[:300], load_extractor(own, tmp_path)
    found = evaluate_images([images], load_reference(tmp_path), extractor, own, seed=7)
    assert found.scores["modes"].value == 10
    assert found.protocol.classifier == made.classifier
    assert found.protocol.weights == extractor.weights_digest


def test_too_few_images_for_neighbours(tmp_path: Path, params: EvaluateParams) -> None:
    photos = params.model_copy(update={"extractor": "efficientnet-lite0"})
    with pytest.raises(EvaluationError, match="nearest neighbours"):
        make_reference(unlabelled(tmp_path / "data", count=5), photos, tmp_path / "out", seed=7)


def test_a_misspelt_score_is_told_at_once(prepared: Path, params: EvaluateParams, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean 'fid'"):
        make_reference(prepared, params.model_copy(update={"scores": ("fdi",)}), tmp_path, seed=7)


@pytest.mark.parametrize("file", ["reference.json", "features.safetensors", "statistics.npz"])
def test_missing_and_damaged_files_are_refused(reference_folder: Path, tmp_path: Path, file: str) -> None:
    folder = tmp_path / "reference"
    shutil.copytree(reference_folder, folder)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(EvaluationError):
        load_reference(folder)
    (folder / file).unlink()
    with pytest.raises(EvaluationError):
        load_reference(folder)


def test_rows_are_drawn_without_repetition() -> None:
    assert torch.equal(draw(5, None, 0), torch.arange(5))
    assert torch.equal(draw(5, 9, 0), torch.arange(5))
    rows = draw(1000, 100, 0)
    assert len(set(rows.tolist())) == 100
    assert torch.equal(rows, draw(1000, 100, 0))
    assert not torch.equal(rows, draw(1000, 100, 1))
