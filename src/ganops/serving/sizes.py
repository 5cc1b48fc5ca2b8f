"""Batch sizes at which a row comes out the same, bit for bit, whatever else is in the batch.

Kernels may sum in another order at another batch size; a pixel on the edge between two levels then changes. So the
networks run at a few fixed sizes, filled up with copies, and only at those whose rows equal those of the largest size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from ganops.data.rows import Rows

STEP = 4  # each size is so many times the one before

Compute = Callable[[Rows], Rows]


def candidates(largest: int) -> list[int]:
    """Sizes from 1 to `largest`, each four times the one before: 1, 4, 16, 64."""
    sizes = [largest]
    while sizes[0] > 1:
        sizes.insert(0, max(1, sizes[0] // STEP))
    return sizes


def equal_sizes(compute: Compute, rows: Rows, sizes: list[int]) -> tuple[int, ...]:
    """Those of `sizes` whose rows equal the rows of the largest, bit for bit; the largest is always among them.

    rows: as many as the largest size, each different. compute: modelled inputs to modelled outputs. Floats are
    compared: where kernels differ, some of the many thousands of numbers differ too.
    """
    largest = sizes[-1]
    expected = compute(rows)
    return (*(size for size in sizes[:-1] if _equal(compute, rows, expected, size)), largest)


def independent_of_place(compute: Compute, rows: Rows) -> bool:
    """Whether a row comes out the same at every place of a batch, whatever the others are.

    Compared are full batches of copies of the first row and of the last; another order of the same rows would not show
    a mean or a maximum over the batch.
    """
    full, count = compute(rows), len(rows)
    copies = (torch.full((count,), place) for place in (0, count - 1))
    return all(_same(full.select(each), compute(rows.select(each))) for each in copies)


def padded(rows: Rows, size: int) -> Rows:
    """The rows, and copies of the last one up to `size`."""
    return rows.select(torch.arange(size).clamp(max=len(rows) - 1))


def smallest_fit(sizes: tuple[int, ...], count: int) -> int:
    """The smallest size for `count` rows; the largest where none is large enough."""
    return next((size for size in sizes if size >= count), sizes[-1])


def _equal(compute: Compute, rows: Rows, expected: Rows, size: int) -> bool:
    pieces = (slice(start, start + size) for start in range(0, len(rows) - size + 1, size))
    return all(_same(compute(rows.select(piece)), expected.select(piece)) for piece in pieces)


def _same(one: Rows, other: Rows) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)
