"""Real data small enough for tests: scikit-learn's digits, prepared, and the reference made of them once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from scoring import DIGITS, IMAGE16, score_images, write_data
from torch import Tensor
from torch.nn import functional as F

from ganops.data.fields.category import CategoryField
from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.evaluation.evaluate import open_evaluator
from ganops.evaluation.evaluator import Evaluation, Evaluator
from ganops.evaluation.real import RealColumn, Reference
from ganops.evaluation.reference import load_reference, make_reference
from ganops.params import ClassifierParams, EvaluateParams

SEED = 7
TRAIN, COUNT = 1200, 300


@pytest.fixture(scope="session")
def params() -> EvaluateParams:
    """Settings that fit 1,200 digits, of which 300 are scored at a time."""
    return EvaluateParams(
        features="classifier",
        samples=COUNT,
        pairwise_samples=400,
        metrics={**EvaluateParams().metrics, "kid": {"subsets": 10, "subset_size": 200}},
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
    rows = Rows({"image": images[order], "label": torch.from_numpy(digits.target).long()[order]})
    folder = tmp_path_factory.mktemp("prepared")
    fields = {"image": IMAGE16, "label": CategoryField(classes=DIGITS)}
    return write_data(folder, fields, rows.select(slice(0, TRAIN)), rows.select(slice(TRAIN, None)))


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
def column(reference: Reference) -> RealColumn:
    """Its images."""
    return reference.columns["image"]


@pytest.fixture(scope="session")
def unseen(prepared: Path) -> Rows:
    """Test digits: what a generator as good as nature would make."""
    return read_packed(prepared, "test")


@pytest.fixture(scope="session")
def evaluator(reference_folder: Path, prepared: Path, params: EvaluateParams) -> Evaluator:
    """The reference, opened."""
    return open_evaluator(reference_folder, prepared, params, SEED)


@pytest.fixture(scope="session")
def score(evaluator: Evaluator) -> Callable[..., Evaluation]:
    """Scores uint8 images (n, C, H, W) as if a generator had made them; `wanted`: these groups alone."""

    def compute(images: Tensor, batch_size: int = 100, wanted: tuple[str, ...] | None = None) -> Evaluation:
        return score_images(evaluator, torch.split(images, batch_size), wanted)

    return compute
