"""The reference: everything that evaluation needs of the prepared data, computed once and read by every evaluation."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ganops.data.fields.image import ImageField
from ganops.data.fields.vector import VectorField
from ganops.data.manifest import read_manifest
from ganops.data.packed import SPLITS, Split, read_packed
from ganops.data.rows import Rows
from ganops.data.spec import LABEL, DataSpec
from ganops.data.tensor_file import save_tensors
from ganops.errors import EvaluationError
from ganops.evaluation.auto import classifier_possible, resolve_features
from ganops.evaluation.extract import features_of
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.extractors.classifier import Classifier, train_classifier
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.make_validation import write_validation
from ganops.evaluation.metric_groups import chosen_groups
from ganops.evaluation.real import RealColumn, RealFeatures, Reference, ReferenceDescription, draw, make_column
from ganops.evaluation.statistics import read_npz, write_npz
from ganops.evaluation.validation_reference import validation_folder
from ganops.params import EvaluateParams
from ganops.progress import progress

DESCRIPTION = "reference.json"


def make_reference(
    prepared: Path, params: EvaluateParams, out: Path, seed: int, device: torch.device | str = "cpu"
) -> ReferenceDescription:
    """Compute everything that evaluation needs of the prepared data and write it to `out`.

    A classifier is trained where its features are asked for, and wherever the data allow it; validation metrics of
    trainings use it as well. reference.json is written last: it makes the reference complete.
    Raises EvaluationError where the features do not fit the data or their weights cannot be had.
    """
    manifest = read_manifest(prepared)
    spec, params = manifest.spec, resolve_features(params, manifest.spec, manifest.counts)
    chosen_groups(params)  # settings of metrics that are wrong are said here, before anything is computed
    _check_features(params, spec)
    data = {split: read_packed(prepared, split) for split in SPLITS if manifest.counts.get(split)}
    classifier = None
    if params.features == "classifier" or classifier_possible(spec, manifest.counts):
        classifier = _train(data, spec, params, seed, device)
        classifier.save(validation_folder(out))  # validation metrics use it as well
    extractor = load_extractor(params, validation_folder(out), device)
    if params.split not in data:
        raise EvaluationError(
            f"the prepared data have no {params.split} split",
            code="no-such-split",
            action="set evaluate.split: train",
        )
    columns = {
        name: _column(data, name, extractor, params, seed)
        for name, field in spec.fields.items()
        if isinstance(field, ImageField | VectorField)
    }
    write_validation(out, data, spec, params, columns[spec.target], extractor, classifier, seed, device)
    description = ReferenceDescription(
        features=extractor.name,
        weights=extractor.weights_digest,
        resize=extractor.resize,
        split=params.split,
        spec=spec,
        real_data=manifest.digest,
        counts={split: len(found) for split, found in columns[spec.target].splits.items()},
        classifier=classifier.weights_digest if classifier else None,
        classifier_accuracy=classifier.description.accuracy if classifier else None,
    )
    for name, column in columns.items():
        _write_column(column, out / name)
    description.write(out / DESCRIPTION)
    return description


def load_reference(folder: Path) -> Reference:
    """Read what `make_reference` wrote; raises EvaluationError when a file is missing or damaged."""
    try:
        description = ReferenceDescription.model_validate_json((folder / DESCRIPTION).read_text("utf-8"))
        columns = {
            name: _read_column(folder / name, description.split)
            for name, field in description.spec.fields.items()
            if isinstance(field, ImageField | VectorField)
        }
    except (OSError, ValueError, SafetensorError, KeyError) as error:  # a ValidationError is a ValueError
        raise EvaluationError(
            f"{folder} does not hold a usable reference",
            code="damaged-reference",
            found=str(error),
            action="make it again: dvc repro --force --single-item reference",
        ) from error
    return Reference(description, columns, folder)


def _column(
    data: dict[Split, Rows], name: str, extractor: FeatureExtractor, params: EvaluateParams, seed: int
) -> RealColumn:
    splits = dict[Split, RealFeatures]()
    for split, rows in data.items():
        drawn = draw(len(rows), params.real_samples, seed)
        features = features_of(rows[name], extractor, drawn, params.batch_size, f"features {split} {name}")
        splits[split] = RealFeatures(features, drawn, rows[LABEL][drawn] if LABEL in rows else None)
    return make_column(splits, params.split, params.pairwise_samples, seed)


def _check_features(params: EvaluateParams, spec: DataSpec) -> None:
    target = spec.fields[spec.target]
    if isinstance(target, VectorField) and params.features != "classifier":
        raise EvaluationError(
            f"the features {params.features} are of images, and the data are vectors",
            code="features-of-images",
            expected="images",
            found=target.description,
            action="set evaluate.features: classifier in params.yaml",
        )


def _train(
    data: dict[Split, Rows], spec: DataSpec, params: EvaluateParams, seed: int, device: torch.device | str
) -> Classifier:
    train = data["train"]
    shown = round(min(params.classifier.epochs * len(train), params.classifier.max_kimg * 1000))
    with progress("classifier", shown, "images") as bar:
        test = data.get("test", train.select(slice(0, 0)))
        return train_classifier(train, test, spec, params.classifier, seed, device, bar.update)


def _write_column(column: RealColumn, folder: Path) -> None:
    tensors = {"pairwise": column.pairwise, "held_out": column.held_out}
    for split, real in column.splits.items():
        tensors |= {f"{split}/features": real.features, f"{split}/rows": real.rows}
        if real.labels is not None:
            tensors[f"{split}/labels"] = real.labels
    write_npz(folder / "statistics.npz", column.statistics)
    save_tensors(folder / "features.safetensors", tensors)


def _read_column(folder: Path, split: Split) -> RealColumn:
    tensors = load_file(folder / "features.safetensors")
    splits: dict[Split, RealFeatures] = {
        name: RealFeatures(tensors[f"{name}/features"], tensors[f"{name}/rows"], tensors.get(f"{name}/labels"))
        for name in SPLITS
        if f"{name}/features" in tensors
    }
    statistics = read_npz(folder / "statistics.npz")
    return RealColumn(statistics, split, splits, tensors["pairwise"], tensors["held_out"])
