"""What the validation metric needs of the real data: a folder of its own inside the reference.

The settings of the full scores leave it as it is, so training can depend on this folder without depending on them.
"""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import ValidationError

from ganops.atomic import write_text
from ganops.errors import EvaluationError
from ganops.evaluation.extractors.classifier import Classifier, load_classifier
from ganops.evaluation.statistics import Statistics, read_npz, write_npz
from ganops.settings import Settings

VALIDATION, DESCRIPTION, STATISTICS = "light", "light.json", "statistics.npz"


class ValidationDescription(Settings):
    """light.json. classifier: sha256 of its weights; None where there is no classifier, and so no validation metric."""

    classifier: str | None


def write_validation(reference: Path, classifier: Classifier | None, real: Statistics | None) -> None:
    """Make the validation metric's folder in `reference` whole, where the classifier has been saved already.

    real: statistics of all training images in the classifier's features; both None where there is no classifier.
    """
    folder = reference / VALIDATION
    if real is not None:
        write_npz(folder / STATISTICS, real)
    digest = None if classifier is None else classifier.weights_digest
    write_text(folder / DESCRIPTION, ValidationDescription(classifier=digest).model_dump_json(indent=2) + "\n")


def classifier_of(reference: Path) -> str | None:
    """sha256 of the classifier that validation metrics are measured with; None where the reference has none.

    Raises EvaluationError when light.json is missing or damaged.
    """
    folder = reference / VALIDATION
    try:
        return ValidationDescription.model_validate_json((folder / DESCRIPTION).read_text("utf-8")).classifier
    except (OSError, ValidationError) as error:
        raise EvaluationError(
            f"{folder} does not say how to score a training",
            found=str(error),
            action="make it anew: dvc repro --force reference",
        ) from error


def read_validation(reference: Path, device: torch.device | str = "cpu") -> tuple[Classifier, Statistics]:
    """The classifier on `device`, and the real statistics; raises EvaluationError when a file is missing or damaged."""
    folder = reference / VALIDATION
    return load_classifier(folder, device), read_npz(folder / STATISTICS)
