"""What is known of the real rows when generated ones are scored: statistics, features, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.packed import Split
from ganops.data.spec import DataSpec
from ganops.evaluation.knn import KNNIndex
from ganops.evaluation.statistics import ROWS_AT_ONCE, Statistics, statistics_of
from ganops.settings import Settings


class ReferenceDescription(Settings):
    """Where a reference comes from; reference.json.

    features, weights, resize: the feature extractor, the sha256 of its weights, how images got to its size.
    split: the one that generated rows are compared with. real_data: digest of the prepared data.
    counts: how many rows of each split were used.
    classifier: sha256 of the classifier's weights; None where there is none.
    classifier_accuracy: the share of test rows whose class it predicts.
    """

    features: str
    weights: str
    resize: str
    split: Split
    spec: DataSpec
    real_data: str
    counts: dict[Split, int]
    classifier: str | None = None
    classifier_accuracy: float | None = None

    @property
    def channel_accuracy(self) -> float | None:
        """Share of single channels that the classifier reads correctly, where each channel is a separate picture.

        The channels' contents were drawn independently: an image is right with this probability to the power of C.
        """
        label, image = self.spec.first(CategoryField), self.spec.first(ImageField)
        if self.classifier_accuracy is None or label is None or image is None or not label.channel_classes:
            return None
        return float(self.classifier_accuracy ** (1 / image.channels))


@dataclass(frozen=True)
class RealFeatures:
    """Features (n, d) of one split; rows: (n,) where each stands in the packed file; labels: (n,) or None."""

    features: Tensor
    rows: Tensor
    labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class RealColumn:
    """One column of the real data, in the features of one extractor.

    statistics: of `split`, which generated rows are compared with.
    pairwise: (m,) the features of that split of which every pair with generated ones is compared.
    held_out: (t,) distance of each test row to the nearest training row; empty where there is no test split.
    """

    statistics: Statistics
    split: Split
    splits: Mapping[Split, RealFeatures]
    pairwise: Tensor
    held_out: Tensor

    @property
    def compared(self) -> RealFeatures:
        """The split that generated rows are compared with."""
        return self.splits[self.split]

    @property
    def pairwise_features(self) -> Tensor:
        """(m, d): the features that are compared pair by pair."""
        return self.compared.features[self.pairwise]


@dataclass(frozen=True)
class Reference:
    """The real side of every score: columns by name. folder: where the classifier's files lie; None: in memory."""

    description: ReferenceDescription
    columns: Mapping[str, RealColumn]
    folder: Path | None = None


def make_column(splits: Mapping[Split, RealFeatures], split: Split, pairwise_samples: int, seed: int) -> RealColumn:
    """What follows from the features of the splits."""
    held_out = torch.empty(0)
    if "train" in splits and len(splits.get("test", ())):
        held_out = KNNIndex(splits["train"].features).nearest(splits["test"].features)[0][:, 0]
    compared = splits[split].features
    statistics = statistics_of(torch.split(compared, ROWS_AT_ONCE))
    return RealColumn(statistics, split, splits, draw(len(compared), pairwise_samples, seed), held_out)


def draw(count: int, wanted: int | None, seed: int) -> Tensor:
    """(n,) row numbers, ascending: all of `count`, or `wanted` of them drawn by `seed`."""
    if wanted is None or wanted >= count:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:wanted].sort().values
