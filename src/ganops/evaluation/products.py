"""Inner products of all features of two sides, block by block: computed once for all that compares each with each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ganops.errors import EvaluationError

ROWS = 1024  # of a block of products, which stays in a processor's cache while it is looked at

# Takes a block: which rows of the one side, which of the other, and their products (rows, rows), which it leaves as
# they are.
Visitor = Callable[[slice, slice, Tensor], None]


@dataclass(frozen=True)
class Side:
    """The features of one side, moved so that the origin lies in their midst.

    rows: (n, d) float32. squares: (n,) their squared lengths.
    lift: (n,) the product of two features before the move is that of their rows and both lifts, added.
    """

    rows: Tensor
    squares: Tensor
    lift: Tensor

    def __len__(self) -> int:
        return len(self.rows)


def centred(real: Tensor, *others: Tensor) -> list[Side]:
    """Sides of features (n, d), the origin moved to the mean of the real ones.

    This keeps float32's digits for what differs between features, not for what they share.
    Raises EvaluationError where the numbers of features differ.
    """
    centre = real.float().mean(dim=0)
    sides = []
    for features in (real, *others):
        if features.shape[1] != len(centre):
            raise EvaluationError(
                "the features of generated and real images differ in number",
                code="features-differ",
                expected=str(len(centre)),
                found=str(features.shape[1]),
                action="compute both with the same extractor",
            )
        rows = features.float() - centre
        sides.append(Side(rows, rows.square().sum(dim=1), rows @ centre + centre.square().sum() / 2))
    return sides


def sweep(x: Side, y: Side, visitors: Iterable[Visitor]) -> None:
    """Show all products of x with y to the visitors; of a side with itself only blocks on and below the diagonal."""
    visitors = list(visitors)
    for rows in _slices(len(x)) if visitors else ():
        for columns in _slices(rows.stop if x is y else len(y)):
            products = x.rows[rows] @ y.rows[columns].T
            for visit in visitors:
                visit(rows, columns, products)


def squared_distances(x: Side, y: Side, rows: slice, columns: slice, products: Tensor) -> Tensor:
    """|x|^2 + |y|^2 - 2 x.y of a block."""
    squares = torch.add(y.squares[columns], products, alpha=-2).add_(x.squares[rows].unsqueeze(1))
    return squares.clamp_(min=0)


def _slices(count: int) -> Iterator[slice]:
    return (slice(start, min(start + ROWS, count)) for start in range(0, count, ROWS))
