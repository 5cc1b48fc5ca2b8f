"""The generated images that lie closest to a training image, found while images stream by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganops.evaluation.knn import KNNIndex


@dataclass(frozen=True)
class Pairs:
    """Generated images (n, C, H, W) uint8, for each the row of its nearest training features, and their distance."""

    images: Tensor
    rows: Tensor
    distances: Tensor


class ClosestPairs:
    """Keeps every image's distance to its nearest training image, and the `wanted` closest images themselves."""

    def __init__(self, train: Tensor, wanted: int) -> None:
        self.train, self.wanted = KNNIndex(train), wanted
        self._distances: list[Tensor] = []
        self._pairs: Pairs | None = None

    def add(self, images: Tensor, features: Tensor) -> None:
        """Take in a batch of images (n, C, H, W) and their features (n, d)."""
        distances, rows = (found[:, 0] for found in self.train.nearest(features))
        self._distances.append(distances)
        if self._pairs is not None:
            images = torch.cat([self._pairs.images, images])
            rows = torch.cat([self._pairs.rows, rows])
            distances = torch.cat([self._pairs.distances, distances])
        order = distances.argsort(stable=True)[: self.wanted]
        self._pairs = Pairs(images[order], rows[order], distances[order])

    def result(self) -> tuple[Tensor, Pairs]:
        """Distances (n,) of all images in their order, and the closest pairs; at least one batch must have come."""
        assert self._pairs is not None, "no batch has been added"
        return torch.cat(self._distances), self._pairs
