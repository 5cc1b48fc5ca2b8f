"""The writing side of validation metrics: what they need of the real data, computed by the stage `reference`.

In a file of its own, because a training depends on the reading side alone: on results, and not on how they were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from ganops.data.fields.image import ImageField
from ganops.data.packed import Split
from ganops.data.rows import Rows
from ganops.data.spec import LABEL, DataSpec
from ganops.data.tensor_file import save_tensors
from ganops.evaluation.extract import features_of
from ganops.evaluation.extractors.classifier import Classifier
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.real import RealColumn, RealFeatures, draw, make_column
from ganops.evaluation.statistics import write_npz
from ganops.evaluation.validation_reference import (
    DESCRIPTION,
    FEATURES,
    STATISTICS,
    ValidationDescription,
    validation_extractor,
    validation_folder,
)
from ganops.params import EvaluateParams, FeaturesName

FEWEST_TEST = 100  # test rows below which they say too little to choose a step by
MOST_ROWS: dict[str, int] = {"classifier": 10_000, "efficientnet-lite0": 1000}  # real rows, by what features cost


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
    description.write(folder / DESCRIPTION)


def _write(column: RealColumn, folder: Path) -> None:
    real = column.compared
    tensors = {"features": real.features, "rows": real.rows}
    if real.labels is not None:
        tensors["labels"] = real.labels
    write_npz(folder / STATISTICS, column.statistics)
    save_tensors(folder / FEATURES, tensors)
