"""The generated samples that lie closest to a training row, found while samples stream by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganops.evaluation.knn import KNNIndex


@dataclass(frozen=True)
class Pairs:
    """Generated samples (n, ...) stored, the row of the training data nearest to each, and their distances (n,)."""

    samples: Tensor
    rows: Tensor
    distances: Tensor


class ClosestPairs:
    """Keeps each sample's distance to its nearest training row, and the `wanted` closest samples themselves.

    train: features (m, d); rows: (m,) where each of them stands in the packed file.
    """

    def __init__(self, train: Tensor, rows: Tensor, wanted: int) -> None:
        self.train, self.rows, self.wanted = KNNIndex(train), rows, wanted
        self._distances: list[Tensor] = []
        self._pairs: Pairs | None = None

    def add(self, samples: Tensor, features: Tensor) -> None:
        """Take in a batch of stored samples (n, ...) and their features (n, d)."""
        distances, places = (found[:, 0] for found in self.train.nearest(features))
        self._distances.append(distances)
        rows = self.rows[places]
        if self._pairs is not None:
            samples = torch.cat([self._pairs.samples, samples])
            rows = torch.cat([self._pairs.rows, rows])
            distances = torch.cat([self._pairs.distances, distances])
        order = distances.argsort(stable=True)[: self.wanted]
        self._pairs = Pairs(samples[order], rows[order], distances[order])

    @property
    def distances(self) -> Tensor:
        """(n,) of all samples in their order; at least one batch must have come."""
        return torch.cat(self._distances)

    @property
    def pairs(self) -> Pairs:
        """The closest pairs; at least one batch must have come."""
        assert self._pairs is not None, "no batch has been added"
        return self._pairs
