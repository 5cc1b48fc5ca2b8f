"""The classifier learns its classes in seconds, the same for the same seed, and survives the disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from playing import spec_of
from scoring import DIGITS

from ganops.data.fields.image import ImageField
from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.errors import EvaluationError
from ganops.evaluation.extractors.classifier import (
    FEATURES,
    Classifier,
    ClassifierNetwork,
    load_classifier,
    train_classifier,
)
from ganops.evaluation.validation_reference import VALIDATION
from ganops.params import ClassifierParams

SPEC = spec_of(1, 16, DIGITS)
QUICK = ClassifierParams(epochs=1, width=4)


def test_learns_digits(reference_folder: Path) -> None:
    classifier = load_classifier(reference_folder / VALIDATION)
    assert classifier.description.accuracy >= 0.97
    assert classifier.classes == SPEC.classes


def test_learns_digits_at_the_default_settings(prepared: Path) -> None:
    found = train_classifier(
        read_packed(prepared, "train"), read_packed(prepared, "test"), SPEC, ClassifierParams(), seed=0
    )
    assert found.description.accuracy >= 0.98


def quick(prepared: Path, seed: int) -> Classifier:
    train, test = read_packed(prepared, "train"), read_packed(prepared, "test")
    return train_classifier(train.select(slice(0, 300)), test, SPEC, QUICK, seed)


def test_same_seed_same_weights_whatever_was_drawn_before(prepared: Path) -> None:
    torch.manual_seed(1)
    one = quick(prepared, seed=3)
    torch.manual_seed(2)
    assert quick(prepared, seed=3).weights_digest == one.weights_digest
    assert quick(prepared, seed=4).weights_digest != one.weights_digest


def test_rows_in_two_parts_train_like_the_same_rows_in_one(prepared: Path) -> None:
    """Their batches hold the same images in another order, which rounds otherwise."""
    train, test = read_packed(prepared, "train"), read_packed(prepared, "test")
    parts = [train.select(part) for part in (slice(0, 130), slice(130, 300))]
    found = train_classifier(parts[0], test, SPEC, QUICK, 3, also=parts[1])
    expected = quick(prepared, seed=3)
    torch.testing.assert_close(found(test["image"]).logits, expected(test["image"]).logits, rtol=1e-2, atol=1e-2)
    alone = train_classifier(parts[0], test, SPEC, QUICK, 3)
    assert not torch.allclose(alone(test["image"]).logits, expected(test["image"]).logits, rtol=1e-2, atol=1e-2)


def test_training_leaves_the_global_random_numbers_alone(prepared: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    quick(prepared, seed=3)
    assert torch.equal(torch.rand(3), expected)


def test_saved_and_loaded_it_gives_the_same(prepared: Path, tmp_path: Path) -> None:
    classifier, images = quick(prepared, seed=3), read_packed(prepared, "test")["image"][:50]
    classifier.save(tmp_path)
    again = load_classifier(tmp_path)
    assert again.weights_digest == classifier.weights_digest
    assert torch.equal(again(images).features, classifier(images).features)
    assert again(images).features.shape == (50, FEATURES)
    assert again(images).logits.shape == (50, 10)


@pytest.mark.parametrize("size", [8, 28, 33, 64])
def test_any_size_and_three_channels(size: int) -> None:
    network = ClassifierNetwork(ImageField(channels=3, size=size), class_count=3, width=4).eval()
    features, logits = network(torch.zeros(2, 3, size, size))
    assert features.shape == (2, FEATURES)
    assert logits.shape == (2, 3)


def test_max_kimg_ends_training_early(prepared: Path) -> None:
    shown = []
    train, test = read_packed(prepared, "train"), read_packed(prepared, "test")
    params = ClassifierParams(epochs=100, width=4, batch_size=64, max_kimg=0.5)
    train_classifier(train, test, SPEC, params, 0, report=lambda done, note: shown.append(done))
    assert shown[-1] == 512  # 8 batches of 64 are the first to reach 500 images


@pytest.mark.parametrize(
    ("labels", "classes"), [(None, ()), (torch.zeros(100, dtype=torch.int64), ("only",)), (None, ("a", "b"))]
)
def test_data_without_classes_are_refused(labels: torch.Tensor | None, classes: tuple[str, ...]) -> None:
    images = {"image": torch.zeros(100, 1, 16, 16, dtype=torch.uint8)}
    data = Rows(images if labels is None else {**images, "label": labels})
    with pytest.raises(EvaluationError) as caught:
        train_classifier(data, data, spec_of(1, 16, classes), QUICK, 0)
    assert caught.value.code == "too-few-classes"


def test_too_few_images_are_refused() -> None:
    columns = {"image": torch.zeros(19, 1, 16, 16, dtype=torch.uint8), "label": torch.zeros(19, dtype=torch.int64)}
    data = Rows(columns)
    with pytest.raises(EvaluationError) as caught:
        train_classifier(data, data, SPEC, QUICK, 0)
    assert caught.value.code == "too-few-images"


def test_images_of_another_shape_are_refused(reference_folder: Path) -> None:
    with pytest.raises(EvaluationError) as caught:
        load_classifier(reference_folder / VALIDATION)(torch.zeros(2, 1, 32, 32, dtype=torch.uint8))
    assert caught.value.code == "wrong-shape"


def test_missing_and_damaged_files_are_refused(prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError) as caught:
        load_classifier(tmp_path)
    assert caught.value.code == "damaged-classifier"
    quick(prepared, seed=3).save(tmp_path)
    weights = tmp_path / "classifier.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(EvaluationError) as caught:
        load_classifier(tmp_path)
    assert caught.value.code == "damaged-classifier"
