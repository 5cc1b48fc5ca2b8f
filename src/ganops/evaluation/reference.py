"""What evaluation needs of the real data, computed once: statistics, features, and the classifier of its classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganops.atomic import atomic_path, write_text
from ganops.data.manifest import read_manifest
from ganops.data.packed import SPLITS, PackedImages, Split, read_packed
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.backbones.choose import load_backbone
from ganops.evaluation.backbones.classifier import train_classifier
from ganops.evaluation.extract import extract
from ganops.evaluation.statistics import Statistics, StatisticsGatherer, read_npz, write_npz
from ganops.params import EvaluateParams
from ganops.progress import progress
from ganops.settings import Settings

DESCRIPTION, STATISTICS, FEATURES = "reference.json", "statistics.npz", "features.safetensors"


class ReferenceDescription(Settings):
    """What reference.json says.

    counts: how many images of each split were used. classifier: sha256 of the classifier's weights, where there is one,
    and the share of test images whose class it finds.
    """

    backbone: str
    weights: str
    resize: str
    split: Split
    spec: DataSpec
    real_data: str
    counts: dict[Split, int]
    pairwise_count: int = Field(ge=2)
    classifier: str | None = None
    classifier_accuracy: float | None = None


@dataclass(frozen=True)
class RealFeatures:
    """Features (n, d) of one split; rows: (n,) where each image stands in the packed file; labels: (n,) or None."""

    features: Tensor
    rows: Tensor
    labels: Tensor | None


@dataclass(frozen=True)
class Reference:
    """The reference stage's output, read.

    statistics: of the split that generated images are compared with. pairwise: (m,) which of its features are compared
    each with each.
    """

    folder: Path
    description: ReferenceDescription
    statistics: Statistics
    real: dict[Split, RealFeatures]
    pairwise: Tensor

    @property
    def pairwise_features(self) -> Tensor:
        """(m, d): the features that generated ones are compared with each with each."""
        return self.real[self.description.split].features[self.pairwise]


def make_reference(
    prepared: Path, params: EvaluateParams, out: Path, seed: int, device: torch.device | str = "cpu"
) -> ReferenceDescription:
    """Compute everything that evaluation needs of the prepared data and write it to `out`.

    The classifier is trained where it is the backbone. reference.json is written last: it makes the reference whole.
    Raises EvaluationError where the backbone does not fit the data or its weights cannot be had.
    """
    manifest = read_manifest(prepared)
    data = {split: read_packed(prepared, split) for split in SPLITS}
    trained = None
    if params.backbone == "classifier":
        shown = round(min(params.classifier.epochs * len(data["train"]), params.classifier.max_kimg * 1000))
        with progress("classifier", shown, "images") as bar:
            trained = train_classifier(
                data["train"], data["test"], manifest.spec, params.classifier, seed, device, bar.update
            )
        trained.save(out)
    backbone = load_backbone(params, out, device)
    gatherer, tensors = StatisticsGatherer(), dict[str, Tensor]()
    for split in SPLITS:
        rows = _draw(len(data[split]), params.real_samples, seed)
        batches = (data[split].images[some] for some in torch.split(rows, params.batch_size))
        found = []
        for _, activations in extract(batches, backbone, len(rows), f"features {split}"):
            found.append(activations.features)
            if split == params.split:
                gatherer.add(activations.features)
        tensors |= {f"{split}/features": torch.cat(found) if found else torch.empty(0, 0), f"{split}/rows": rows}
        tensors |= _labels(data[split], rows, split)
    statistics = gatherer.result()
    tensors["pairwise"] = _draw(statistics.count, params.pairwise_samples, seed)
    write_npz(out / STATISTICS, statistics)
    with atomic_path(out / FEATURES) as temporary:
        save_file(tensors, temporary)
    description = ReferenceDescription(
        backbone=backbone.name,
        weights=backbone.weights_digest,
        resize=backbone.resize,
        split=params.split,
        spec=manifest.spec,
        real_data=manifest.digest,
        counts={split: len(tensors[f"{split}/rows"]) for split in SPLITS},
        pairwise_count=len(tensors["pairwise"]),
        classifier=trained.weights_digest if trained else None,
        classifier_accuracy=trained.description.accuracy if trained else None,
    )
    write_text(out / DESCRIPTION, description.model_dump_json(indent=2) + "\n")
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
        return Reference(folder, description, read_npz(folder / STATISTICS), real, tensors["pairwise"])
    except (OSError, ValidationError, SafetensorError, KeyError) as error:
        raise EvaluationError(
            f"{folder} holds no usable reference", found=str(error), action="make it anew: dvc repro --force reference"
        ) from error


def _draw(count: int, wanted: int | None, seed: int) -> Tensor:
    """(n,) sorted row numbers: all of `count`, or `wanted` of them drawn by `seed`."""
    if wanted is None or wanted >= count:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:wanted].sort().values


def _labels(data: PackedImages, rows: Tensor, split: Split) -> dict[str, Tensor]:
    return {} if data.labels is None else {f"{split}/labels": data.labels[rows]}
