"""What validation metrics need of the real data: a folder of its own inside the reference.

Settings of the full scores leave it as it is, so that training can depend on this folder without depending on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ganops.data.packed import Split
from ganops.data.spec import DOMAINS, DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.real import RealColumn, RealFeatures
from ganops.evaluation.statistics import read_npz
from ganops.params import EvaluateParams, FeaturesName
from ganops.settings import Settings

VALIDATION = "validation"
DESCRIPTION, FEATURES, STATISTICS = "validation.json", "features.safetensors", "statistics.npz"


class ValidationDescription(Settings):
    """validation.json. features, weights: what steps are compared with; None where nothing is affordable.

    split, count: the real rows; the test split, which neither the training nor, as a rule, the final score has seen.
    """

    spec: DataSpec
    features: FeaturesName | None
    weights: str | None = None
    split: Split
    count: int


@dataclass(frozen=True)
class ValidationReference:
    """The real side of validation metrics; column and extractor None where they have no features."""

    description: ValidationDescription
    column: RealColumn | None
    extractor: FeatureExtractor | None


def validation_folder(reference: Path) -> Path:
    """Where validation metrics find the real side. Those of both domains lie in one folder, for trainings use both."""
    inside = reference / VALIDATION
    return reference.parent / VALIDATION / reference.name if reference.name in DOMAINS else inside


def validation_extractor(features: FeaturesName, folder: Path, device: torch.device | str) -> FeatureExtractor:
    """The network behind validation metrics."""
    return load_extractor(EvaluateParams(features=features), folder, device)


def read_validation(reference: Path, device: torch.device | str = "cpu") -> ValidationReference:
    """Read the folder inside `reference`; raises EvaluationError when a file is missing or damaged."""
    folder = validation_folder(reference)
    try:
        description = ValidationDescription.model_validate_json((folder / DESCRIPTION).read_text("utf-8"))
        if description.features is None:
            return ValidationReference(description, None, None)
        tensors = load_file(folder / FEATURES)
        real = RealFeatures(tensors["features"], tensors["rows"], tensors.get("labels"))
    except (OSError, ValueError, SafetensorError, KeyError) as error:
        raise EvaluationError(
            f"{folder} does not say how to validate a training",
            code="damaged-validation",
            found=str(error),
            action="make it again: dvc repro --force --single-item reference",
        ) from error
    statistics, split = read_npz(folder / STATISTICS), description.split
    column = RealColumn(statistics, split, {split: real}, torch.arange(len(real)), torch.empty(0))
    return ValidationReference(description, column, validation_extractor(description.features, folder, device))
