"""Rows: named tensors of equal length. Packed data, batches, and what a model takes and returns have this form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from ganops.errors import DataError


class Rows(Mapping[str, Tensor]):
    """Columns by name, each with one entry per row along its first dimension.

    `len(rows)` is the number of rows; iteration yields the column names. Raises DataError for columns of different
    lengths, and for no columns at all.
    """

    __slots__ = ("_columns", "_length")

    def __init__(self, columns: Mapping[str, Tensor]) -> None:
        self._columns = dict(columns)
        lengths = {name: column.shape[0] for name, column in self._columns.items()}  # len() would be fixed by exporters
        self._length = next(iter(lengths.values()), 0)
        if not lengths or any(length != self._length for length in lengths.values()):
            raise DataError(
                "the columns differ in length",
                code="rows-unequal",
                expected="at least one column, all of equal length",
                found=", ".join(f"{name}: {length:,}" for name, length in lengths.items()) or "no columns",
            )

    def __getitem__(self, name: str) -> Tensor:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        columns = ", ".join(f"{name}: {tuple(column.shape)} {column.dtype}" for name, column in self._columns.items())
        return f"Rows({columns})"

    def map(self, change: Callable[[Tensor], Tensor]) -> Rows:
        """The same columns, each changed by `change`."""
        return Rows({name: change(column) for name, column in self._columns.items()})

    def select(self, index: Tensor | slice) -> Rows:
        """The rows of an int64 index tensor, or of a slice."""
        if isinstance(index, slice):
            return self.map(lambda column: column[index])
        return self.map(lambda column: column.index_select(0, index))

    def only(self, names: Iterable[str]) -> Rows:
        """The columns called `names`, in their order; a Schema is such an iterable. KeyError for a missing one."""
        return Rows({name: self._columns[name] for name in names})

    def merged(self, other: Mapping[str, Tensor]) -> Rows:
        """These columns and those of `other`, which win where both have one."""
        return Rows(self._columns | dict(other))

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Rows:
        """All columns on `device`."""
        return self.map(lambda column: column.to(device, non_blocking=non_blocking))

    def split(self, size: int) -> Iterator[Rows]:
        """Consecutive pieces of at most `size` rows."""
        return (self.select(slice(start, start + size)) for start in range(0, len(self), size))

    @property
    def nbytes(self) -> int:
        """Bytes that all columns take."""
        return sum(column.nbytes for column in self._columns.values())


def concatenate(pieces: Sequence[Rows]) -> Rows:
    """The rows of all pieces one after the other; they must have the same columns, and there must be at least one."""
    return Rows({name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]})
