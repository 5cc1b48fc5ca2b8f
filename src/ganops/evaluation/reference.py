"""The reference stage: everything that evaluation needs of the prepared data, computed once and read ever after."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganops.atomic import atomic_path, write_text
from ganops.data.manifest import read_manifest
from ganops.data.packed import SPLITS, PackedImages, Split, read_packed
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.extract import extract
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.extractors.classifier import Classifier, train_classifier
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.knn import KNNIndex
from ganops.evaluation.metric import pick_groups
from ganops.evaluation.real import RealFeatures, Reference, ReferenceDescription, derive, draw
from ganops.evaluation.statistics import Statistics, StatisticsGatherer, read_npz, statistics_of, write_npz
from ganops.evaluation.validation_reference import VALIDATION, write_validation
from ganops.params import EvaluateParams
from ganops.progress import progress

DESCRIPTION, STATISTICS, FEATURES = "reference.json", "statistics.npz", "features.safetensors"


def make_reference(
    prepared: Path, params: EvaluateParams, out: Path, seed: int, device: torch.device | str = "cpu"
) -> ReferenceDescription:
    """Compute everything that evaluation needs of the prepared data and write it to `out`.

    The classifier is trained where it is the extractor, and where scores by class are asked for and the data have
    classes; where there is one, the validation metric of trainings gets it, too. reference.json is written last: it makes the
    reference whole.
    Raises EvaluationError where the extractor does not fit the data or its weights cannot be had.
    """
    groups = pick_groups(params.scores)  # a misspelt score is told now, not after hours of training
    manifest = read_manifest(prepared)
    if manifest.spec.of_vectors and params.extractor != "classifier":
        raise EvaluationError(
            f"the extractor {params.extractor} looks at images, and the data are vectors",
            action="set evaluate.extractor: classifier in params.yaml",
        )
    data = {split: read_packed(prepared, split) for split in SPLITS}
    classifier = None
    if params.extractor == "classifier" or (
        len(manifest.spec.classes) > 1 and any(group.needs_classifier for group in groups)
    ):
        classifier = _train(data, manifest.spec, params, seed, device)
        classifier.save(out / VALIDATION)
    extractor = load_extractor(params, out, device)
    real, statistics = dict[Split, RealFeatures](), dict[Split, Statistics]()
    for split in SPLITS:
        real[split], gatherer = _extract(data[split], split, extractor, params, seed)
        if split == params.split:
            statistics[split] = gatherer.result()
    write_validation(out, classifier, _all_training_images(data["train"], real["train"], extractor, classifier, params))
    pairwise, kth_distances = derive(real[params.split].features, params, seed)
    held_out = torch.empty(0)
    if len(real["test"]):
        held_out = KNNIndex(real["train"].features).nearest(real["test"].features)[0][:, 0]
    description = ReferenceDescription(
        extractor=extractor.name,
        weights=extractor.weights_digest,
        resize=extractor.resize,
        split=params.split,
        spec=manifest.spec,
        real_data=manifest.digest,
        counts={split: len(real[split]) for split in SPLITS},
        pairwise_samples=params.pairwise_samples,
        pairwise_count=len(pairwise),
        neighbours=params.neighbours,
        classifier=classifier.weights_digest if classifier else None,
        classifier_accuracy=classifier.description.accuracy if classifier else None,
    )
    _write(Reference(description, statistics[params.split], real, pairwise, kth_distances, held_out), out)
    return description


def load_reference(folder: Path) -> Reference:
    """Read what `make_reference` wrote; raises EvaluationError when a file is missing or damaged."""
    try:
        description = ReferenceDescription.model_validate_json((folder / DESCRIPTION).read_text("utf-8"))
        tensors = load_file(folder / FEATURES)
        real: dict[Split, RealFeatures] = {
            split: RealFeatures(tensors[f"{split}/features"], tensors[f"{split}/rows"], tensors.get(f"{split}/labels"))
            for split in SPLITS
        }
        pairwise, kth_distances, held_out = (tensors[name] for name in ("pairwise", "kth_distances", "held_out"))
    except (OSError, ValidationError, SafetensorError, KeyError) as error:
        raise EvaluationError(
            f"{folder} holds no usable reference", found=str(error), action="make it anew: dvc repro --force reference"
        ) from error
    return Reference(description, read_npz(folder / STATISTICS), real, pairwise, kth_distances, held_out, folder)


def _train(
    data: dict[Split, PackedImages],
    spec: DataSpec,
    params: EvaluateParams,
    seed: int,
    device: torch.device | str,
) -> Classifier:
    shown = round(min(params.classifier.epochs * len(data["train"]), params.classifier.max_kimg * 1000))
    with progress("classifier", shown, "images") as bar:
        return train_classifier(data["train"], data["test"], spec, params.classifier, seed, device, bar.update)


def _extract(
    data: PackedImages, split: Split, extractor: FeatureExtractor, params: EvaluateParams, seed: int
) -> tuple[RealFeatures, StatisticsGatherer]:
    rows = draw(len(data), params.real_samples, seed)
    batches = (data.images[some] for some in torch.split(rows, params.batch_size) if len(some))
    gatherer, found = StatisticsGatherer(), list[Tensor]()
    for _, activations in extract(batches, extractor, len(rows), f"features {split}"):
        gatherer.add(activations.features)
        found.append(activations.features)
    features = torch.cat(found) if found else torch.empty(0, 0)
    return RealFeatures(features, rows, None if data.labels is None else data.labels[rows]), gatherer


def _all_training_images(
    data: PackedImages,
    real: RealFeatures,
    extractor: FeatureExtractor,
    classifier: Classifier | None,
    params: EvaluateParams,
) -> Statistics | None:
    """What the validation metric compares with: every training image, whatever the full scores are measured with."""
    if classifier is None:
        return None
    if extractor.weights_digest == classifier.weights_digest and len(real) == len(data):
        return statistics_of([real.features])
    batches = torch.split(data.images, params.batch_size)
    return statistics_of(found.features for _, found in extract(batches, classifier, len(data), "light statistics"))


def _write(reference: Reference, out: Path) -> None:
    tensors = {"pairwise": reference.pairwise, "kth_distances": reference.kth_distances, "held_out": reference.held_out}
    for split, real in reference.real.items():
        tensors |= {f"{split}/features": real.features, f"{split}/rows": real.rows}
        if real.labels is not None:
            tensors[f"{split}/labels"] = real.labels
    write_npz(out / STATISTICS, reference.statistics)
    with atomic_path(out / FEATURES) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary)
    write_text(out / DESCRIPTION, reference.description.model_dump_json(indent=2) + "\n")
