"""What validation metrics need of the real data: a folder of its own inside the reference.

Settings of the full scores leave it as it is, so that training can depend on this folder without depending on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganops.atomic import atomic_path, write_text
from ganops.data.fields.image import ImageField
from ganops.data.packed import Split
from ganops.data.rows import Rows
from ganops.data.spec import DOMAINS, LABEL, DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.extractors.classifier import Classifier
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.real import RealColumn, RealFeatures, draw, make_column
from ganops.evaluation.statistics import read_npz, write_npz
from ganops.params import EvaluateParams, FeaturesName
from ganops.settings import Settings

VALIDATION = "validation"
DESCRIPTION, FEATURES, STATISTICS = "validation.json", "features.safetensors", "statistics.npz"

FEWEST_TEST = 100  # test rows below which they say too little to choose a step by
MOST_ROWS: dict[str, int] = {"classifier": 10_000, "efficientnet-lite0": 1000}  # real rows, by what features cost


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


def write_validation(
    out: Path,
    data: Mapping[Split, Rows],
    spec: DataSpec,
    params: EvaluateParams,
    column: RealColumn,
    extractor: FeatureExtractor,
    classifier: Classifier | None,
    seed: int,
    device: torch.device | str,
) -> None:
    """Make the folder of validation metrics in `out`; the classifier's files are there already, if there is one.

    column, extractor: of the full scores, whose features are taken where they are the same.
    """
    from ganops.evaluation.reference import features_of

    folder, target = validation_folder(out), spec.target
    # The other split than the final score's, so that the step is not chosen by the score that it is then praised for.
    enough = len(data.get("test", ())) >= FEWEST_TEST and params.split == "train"
    split: Split = "test" if enough else "train"
    features: FeaturesName | None = None
    if classifier is not None:
        features = "classifier"
    elif isinstance(spec.fields[target], ImageField):
        features = "efficientnet-lite0"
    if features is None:
        description = ValidationDescription(spec=spec, features=None, split=split, count=len(data[split]))
    else:
        network: FeatureExtractor = classifier or validation_extractor(features, folder, device)
        rows, known = draw(len(data[split]), MOST_ROWS[features], seed), column.splits.get(split)
        same = network.weights_digest == extractor.weights_digest and network.resize == extractor.resize
        if same and known is not None and len(known) == len(data[split]):
            found = known.features[rows]
        else:
            found = features_of(data[split][target], network, rows, params.batch_size, "validation features")
        labels = data[split][LABEL][rows] if LABEL in data[split] else None
        _write(make_column({split: RealFeatures(found, rows, labels)}, split, len(rows), seed), folder)
        description = ValidationDescription(
            spec=spec, features=features, weights=network.weights_digest, split=split, count=len(rows)
        )
    write_text(folder / DESCRIPTION, description.model_dump_json(indent=2) + "\n")


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
    except (OSError, ValidationError, SafetensorError, KeyError) as error:
        raise EvaluationError(
            f"{folder} does not say how to validate a training",
            code="damaged-validation",
            found=str(error),
            action="make it again: dvc repro --force reference",
        ) from error
    statistics, split = read_npz(folder / STATISTICS), description.split
    column = RealColumn(statistics, split, {split: real}, torch.arange(len(real)), torch.empty(0))
    return ValidationReference(description, column, validation_extractor(description.features, folder, device))


def _write(column: RealColumn, folder: Path) -> None:
    real = column.compared
    tensors: dict[str, Tensor] = {"features": real.features.contiguous(), "rows": real.rows.contiguous()}
    if real.labels is not None:
        tensors["labels"] = real.labels.contiguous()
    write_npz(folder / STATISTICS, column.statistics)
    with atomic_path(folder / FEATURES) as temporary:
        save_file(tensors, temporary)
