"""What is known of the real images when generated ones are scored: statistics, features, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor

from ganops.data.packed import Split
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.knn import KNNIndex
from ganops.evaluation.statistics import Statistics
from ganops.params import EvaluateParams
from ganops.settings import Settings


class ReferenceDescription(Settings):
    """Where a reference comes from; reference.json.

    counts: how many images of each split were used. pairwise_samples, neighbours: as params.yaml had them;
    pairwise_count: how many images are compared each with each.
    classifier: sha256 of the classifier's weights, where there is one, and the share of test images that it names
    rightly.
    """

    extractor: str
    weights: str
    resize: str
    split: Split
    spec: DataSpec
    real_data: str
    counts: dict[Split, int]
    pairwise_samples: int
    pairwise_count: int = Field(ge=2)
    neighbours: int = Field(ge=1)
    classifier: str | None = None
    classifier_accuracy: float | None = None

    @property
    def channel_accuracy(self) -> float | None:
        """Share of single channels that the classifier names rightly, where each is a picture of its own.

        As what they show was drawn independently, an image is named rightly with this probability to the power of C.
        """
        if self.classifier_accuracy is None or not self.spec.channel_classes:
            return None
        return float(self.classifier_accuracy ** (1 / self.spec.channels))


@dataclass(frozen=True)
class RealFeatures:
    """Features (n, d) of one split; rows: (n,) where each image stands in the packed file; labels: (n,) or None."""

    features: Tensor
    rows: Tensor
    labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class Reference:
    """The real side of every score.

    statistics: of the split that generated images are compared with.
    pairwise: (m,) which features of that split are compared each with each; kth_distances: (m,) distance of each of these to
    its k-th nearest among them.
    held_out: (t,) distance of each test image to the nearest training image; empty where there is no test split.
    folder: where it was read from, with the classifier beside it; None when it was made in memory.
    """

    description: ReferenceDescription
    statistics: Statistics
    real: Mapping[Split, RealFeatures]
    pairwise: Tensor
    kth_distances: Tensor
    held_out: Tensor
    folder: Path | None = None

    @property
    def compared(self) -> RealFeatures:
        """The split that generated images are compared with."""
        return self.real[self.description.split]

    @property
    def pairwise_features(self) -> Tensor:
        """(m, d): the features that generated ones are compared with each with each."""
        return self.compared.features[self.pairwise]

    @property
    def train(self) -> RealFeatures:
        """The images that a generator has learnt from."""
        return self.real["train"]


def derive(features: Tensor, params: EvaluateParams, seed: int) -> tuple[Tensor, Tensor]:
    """Draw the rows that are compared each with each out of features (n, d), and compute their kth_distances.

    Raises EvaluationError where there are not more images than neighbours.
    """
    pairwise = draw(len(features), params.pairwise_samples, seed)
    if len(pairwise) <= params.neighbours:
        raise EvaluationError(
            "too few real images for their nearest neighbours",
            expected=f"more than evaluate.neighbours, which is {params.neighbours}",
            found=str(len(pairwise)),
            action="use more images, or lower evaluate.neighbours",
        )
    return pairwise, KNNIndex(features[pairwise]).kth_distances(params.neighbours)


def draw(count: int, wanted: int | None, seed: int) -> Tensor:
    """(n,) row numbers, ascending: all of `count`, or `wanted` of them drawn by `seed`."""
    if wanted is None or wanted >= count:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:wanted].sort().values
