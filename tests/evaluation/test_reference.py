"""The reference: complete, the same again, and refused when it is damaged or does not fit the data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from scoring import score_images, write_data

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.errors import EvaluationError, SettingsError
from ganops.evaluation.evaluate import open_evaluator
from ganops.evaluation.extractors.classifier import load_classifier
from ganops.evaluation.knn import KNNIndex
from ganops.evaluation.real import RealColumn, draw
from ganops.evaluation.reference import load_reference, make_reference
from ganops.evaluation.rows import FEWEST_REAL, real_row
from ganops.evaluation.statistics import statistics_of
from ganops.evaluation.validation_reference import VALIDATION
from ganops.params import ClassifierParams, EvaluateParams

SEED = 7


def test_holds_what_follows_from_the_real_images(
    column: RealColumn, reference_folder: Path, prepared: Path, params: EvaluateParams
) -> None:
    train = read_packed(prepared, "train")
    features = load_classifier(reference_folder / VALIDATION)(train["image"]).features
    torch.testing.assert_close(column.compared.features, features, rtol=1e-4, atol=1e-5)
    assert column.compared.labels is not None
    assert torch.equal(column.compared.labels, train["label"])
    expected = statistics_of([features])
    torch.testing.assert_close(column.statistics.mean, expected.mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(column.statistics.covariance, expected.covariance, rtol=1e-4, atol=1e-5)
    assert len(column.pairwise) == params.pairwise_samples
    held_out = KNNIndex(column.splits["train"].features).nearest(column.splits["test"].features)[0][:, 0]
    torch.testing.assert_close(column.held_out, held_out)


def test_the_same_seed_gives_the_same_files(
    reference_folder: Path, prepared: Path, params: EvaluateParams, tmp_path: Path
) -> None:
    make_reference(prepared, params, tmp_path, seed=7)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) == 8
    for file in files:
        assert (tmp_path / file).read_bytes() == (reference_folder / file).read_bytes(), file


def test_a_part_of_the_real_images(prepared: Path, params: EvaluateParams, tmp_path: Path) -> None:
    """real_samples caps both splits; the rows say which images they are."""
    few = params.model_copy(update={"real_samples": 100, "split": "test"})
    made = make_reference(prepared, few, tmp_path, seed=7)
    assert made.counts == {"train": 100, "test": 100}
    found = load_reference(tmp_path).columns["image"]
    assert found.statistics.count == 100
    assert len(set(found.splits["test"].rows.tolist())) == 100
    images = read_packed(prepared, "test")["image"][found.splits["test"].rows]
    expected = load_classifier(tmp_path / VALIDATION)(images).features
    torch.testing.assert_close(found.compared.features, expected, rtol=1e-4, atol=1e-5)


def noise(count: int, size: int = 8) -> torch.Tensor:
    """Coloured noise."""
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)


def unlabelled(folder: Path, count: int = 30, test: int = 0) -> Path:
    """Coloured noise without classes."""
    fields = {"image": ImageField(channels=3, size=8)}
    rows = Rows({"image": noise(test)}) if test else None
    return write_data(folder, fields, Rows({"image": noise(count)}), rows)


def test_a_classifier_cannot_be_made_of_data_without_classes(tmp_path: Path, params: EvaluateParams) -> None:
    with pytest.raises(EvaluationError) as caught:
        make_reference(unlabelled(tmp_path / "data"), params, tmp_path / "out", seed=7)
    assert (caught.value.code, caught.value.found) == ("too-few-classes", "0")
    assert not (tmp_path / "out" / "reference.json").exists()


def test_data_without_classes_and_without_a_test_split(tmp_path: Path) -> None:
    """`auto` takes ImageNet's features: no classifier is trained, and nothing is held out."""
    made = make_reference(unlabelled(tmp_path / "data"), EvaluateParams(), tmp_path / "out", seed=7)
    assert (made.features, made.classifier) == ("efficientnet-lite0", None)
    found = load_reference(tmp_path / "out").columns["image"]
    assert len(found.held_out) == 0
    assert found.splits["train"].features.shape == (30, 1280)
    assert found.splits["train"].labels is None


@pytest.mark.parametrize(("count", "test", "classes"), [(6, 2, 0), (6, 2, 1), (8, 0, 0), (40, 10, 40)], ids=str)
def test_small_and_odd_data_have_scores(tmp_path: Path, count: int, test: int, classes: int) -> None:
    """Eight pictures, one class, a class for each picture: never an error, and the protocol says what was used."""
    params = EvaluateParams(samples=6)
    if classes:
        label = CategoryField(classes=tuple(f"class {index}" for index in range(classes)))
        fields = {"image": ImageField(channels=3, size=8), "label": label}
        train, held = (
            Rows({"image": noise(number), "label": torch.arange(number) % classes}) for number in (count, test)
        )
        write_data(tmp_path / "data", fields, train, held)
    else:
        unlabelled(tmp_path / "data", count, test)
    make_reference(tmp_path / "data", params, tmp_path / "out", seed=7)
    evaluator = open_evaluator(tmp_path / "out", tmp_path / "data", params, seed=7)
    found = score_images(evaluator, [noise(6)])
    expected = {"fid_efficientnet-lite0", "kid_efficientnet-lite0", "precision", "coverage", "diversity"}
    assert expected <= set(found.scores)
    assert "modes" not in found.scores
    assert found.scores.protocol.groups["kid"]["subset_size"] == min(6, count)
    assert found.scores.protocol.groups["prdc"]["neighbours"] == min(5, count - 1)
    row = real_row(evaluator)
    assert (row is None) == (test < FEWEST_REAL)
    if row is not None:
        assert expected <= set(row.scores)


def test_real_test_images_are_scored_like_a_model(
    prepared: Path, reference_folder: Path, params: EvaluateParams
) -> None:
    """The floor: hardly any distance, all classes, and no copies."""
    row = real_row(open_evaluator(reference_folder, prepared, params, SEED))
    assert row is not None
    assert (row.name, row.title) == ("real-test", "real test images (300)")
    assert row.dump()["title"] == row.title
    assert abs(row.scores["kid_classifier"].value) < 0.02
    assert row.scores["modes"].value == 10
    assert row.scores["memorisation"].value == pytest.approx(0.5, abs=0.1)
    other = params.model_copy(update={"split": "test"})
    with pytest.raises(EvaluationError):
        open_evaluator(reference_folder, prepared, other, SEED)


def test_compared_with_the_test_split_the_row_is_of_training_images(
    prepared: Path, params: EvaluateParams, tmp_path: Path
) -> None:
    other = params.model_copy(update={"split": "test", "metrics": {"fid": {}, "memorisation": {}}})
    make_reference(prepared, other, tmp_path, SEED)
    row = real_row(open_evaluator(tmp_path, prepared, other, SEED))
    assert row is not None
    assert row.name == "real-train"
    assert set(row.scores) == {"fid_classifier"}


def test_scores_by_class_with_features_of_another_network(
    prepared: Path, params: EvaluateParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A classifier is trained as well, which names the classes of generated images; the protocol has both."""
    (tmp_path / "pixel_features.py").write_text("from torch import nn\n\ndef pixels():\n    return nn.Flatten()\n")
    monkeypatch.syspath_prepend(tmp_path)
    own = params.model_copy(
        update={
            "features": "custom",
            "custom": "pixel_features:pixels",
            "metrics": {"fid": {}, "modes": {}, "by-class": {}},
        }
    )
    made = make_reference(prepared, own, tmp_path, seed=7)
    assert made.classifier == load_classifier(tmp_path / VALIDATION).weights_digest
    evaluator = open_evaluator(tmp_path, prepared, own, SEED)
    found = score_images(evaluator, [read_packed(prepared, "test")["image"][:300]])
    assert found.scores["modes"].value == 10
    shared = found.scores.protocol.shared
    assert (shared["classifier"], shared["weights"]) == (made.classifier, evaluator.extractor.weights_digest)
    assert "intra_kid_custom" in found.scores


def test_wrong_metrics_are_found_before_anything_is_computed(
    prepared: Path, params: EvaluateParams, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        make_reference(prepared, params.model_copy(update={"metrics": {"fdi": {}}}), tmp_path, seed=7)
    assert caught.value.code == "unknown-metric-group"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["reference.json", "image/features.safetensors", "image/statistics.npz"])
def test_missing_and_damaged_files_are_refused(reference_folder: Path, tmp_path: Path, file: str) -> None:
    folder = tmp_path / "reference"
    shutil.copytree(reference_folder, folder)
    content = (folder / file).read_bytes()
    for damaged in (content[: len(content) // 2], b"\xff" * 100):
        (folder / file).write_bytes(damaged)
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


def test_the_classifier_does_not_depend_on_which_metrics_are_asked_for(
    prepared: Path, params: EvaluateParams, tmp_path: Path
) -> None:
    """Validation metrics use it, and trainings must not depend on what is scored afterwards."""
    quick = {"classifier": ClassifierParams(epochs=1, width=4), "metrics": {"fid": {}}}
    made = make_reference(prepared, params.model_copy(update=quick), tmp_path, seed=7)
    assert made.classifier is not None
