"""Real data small enough for tests: scikit-learn's digits, prepared, and the reference made of them once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganops.data.manifest import Manifest
from ganops.data.packed import PackedImages, read_packed, write_packed
from ganops.data.spec import DataSpec
from ganops.evaluation.evaluate import Evaluation, evaluate_images
from ganops.evaluation.extractors.classifier import load_classifier
from ganops.evaluation.real import Reference
from ganops.evaluation.reference import load_reference, make_reference
from ganops.evaluation.validation_reference import VALIDATION
from ganops.params import ClassifierParams, EvaluateParams

SEED = 7
TRAIN, COUNT = 1200, 300


@pytest.fixture(scope="session")
def params() -> EvaluateParams:
    """Settings that fit 1,200 digits, of which 300 are scored at a time."""
    return EvaluateParams(
        samples=COUNT,
        pairwise_samples=400,
        kid_subsets=10,
        kid_subset_size=200,
        classifier=ClassifierParams(epochs=8, width=8),
    )


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 digits for training and 597 for testing, at 16 x 16 pixels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = torch.from_numpy(digits.images).float().unsqueeze(1) * (255 / 16)
    images = F.interpolate(pixels, size=16, mode="bilinear").round().to(torch.uint8)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SEED))
    images, labels = images[order], torch.from_numpy(digits.target).long()[order]
    folder = tmp_path_factory.mktemp("prepared")
    write_packed(folder, "train", PackedImages(images[:TRAIN], labels[:TRAIN]))
    write_packed(folder, "test", PackedImages(images[TRAIN:], labels[TRAIN:]))
    Manifest(
        source="digits",
        digest="d" * 64,
        spec=DataSpec(shape=(1, 16, 16), classes=tuple(str(digit) for digit in range(10))),
        counts={"train": TRAIN, "test": len(images) - TRAIN},
    ).write(folder)
    return folder


@pytest.fixture(scope="session")
def reference_folder(prepared: Path, params: EvaluateParams, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the reference stage leaves for these digits."""
    folder = tmp_path_factory.mktemp("reference")
    make_reference(prepared, params, folder, SEED)
    return folder


@pytest.fixture(scope="session")
def reference(reference_folder: Path) -> Reference:
    """The same, read."""
    return load_reference(reference_folder)


@pytest.fixture(scope="session")
def unseen(prepared: Path) -> PackedImages:
    """Test digits: what a generator as good as nature would make."""
    return read_packed(prepared, "test")


@pytest.fixture(scope="session")
def score(reference: Reference, params: EvaluateParams) -> Callable[..., Evaluation]:
    """Scores uint8 images (n, C, H, W) as if a generator had made them; keywords replace settings."""

    def compute(images: Tensor, batch_size: int = 100, asked: Tensor | None = None, **changes: Any) -> Evaluation:
        assert reference.folder is not None
        wanted = params.model_copy(update={"samples": len(images)} | changes)
        batches = torch.split(images, batch_size)
        return evaluate_images(
            batches, reference, load_classifier(reference.folder / VALIDATION), wanted, SEED, asked=asked
        )

    return compute
