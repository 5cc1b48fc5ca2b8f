"""Distances between many features and many others, in blocks: memory stays bounded, whatever their number."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK_BYTES = 128 * 2**20  # of one block of distances, float32, at the most
BLOCK_ROWS = 256  # of 10,000 distances each, a block stays in a processor's cache while it is looked at


class KNNIndex:
    """Features y (m, d) that others are compared with.

    Squared distances are |x|^2 + |y|^2 - 2 x.y after moving the origin to y's mean, which keeps float32's digits for
    what differs between features, not for what they share.
    """

    def __init__(self, y: Tensor, block_bytes: int = BLOCK_BYTES) -> None:
        self.centre = y.mean(dim=0)
        self.y = y - self.centre
        self.lengths = self.y.square().sum(dim=1)
        # Each block reads all of y again: the longer its rows, the more of x should share that.
        rows = max(BLOCK_ROWS, y.shape[1])
        self.rows_at_once = max(1, min(rows, block_bytes // (4 * max(len(y), 1))))

    def blocks(self, x: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Yield which rows of x (n, d), and their squared Euclidean distances (rows, m) to all of y."""
        for start in range(0, len(x), self.rows_at_once):
            some = x[start : start + self.rows_at_once] - self.centre
            squares = torch.addmm(self.lengths, some, self.y.T, alpha=-2).add_(some.square().sum(dim=1, keepdim=True))
            yield slice(start, start + len(some)), squares.clamp_(min=0)

    def nearest(self, x: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
        """Distances (n, k), ascending, of each row of x to its k nearest rows of y, and which rows these are (n, k).

        The distances of those found are computed again from their difference, so that copies lie at exactly 0.
        """
        distances, rows = list[Tensor](), list[Tensor]()
        for part, squares in self.blocks(x):
            found = squares.topk(k, dim=1, largest=False).indices
            exact = ((x[part] - self.centre).unsqueeze(1) - self.y[found]).norm(dim=2).sort(dim=1, stable=True)
            distances.append(exact.values)
            rows.append(found.gather(1, exact.indices))
        return torch.cat(distances), torch.cat(rows)
