"""What a source returns: stored columns, which rows make up which split, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ganops.data.fields.field import Schema
from ganops.data.manifest import SplitRule
from ganops.data.packed import RowIndices, Split
from ganops.data.rejection import Rejection


@dataclass(frozen=True)
class RawDataset:
    """columns: one for each field, in stored form; each may be a memory map and hold rows of no split.

    fields: the data themselves first. rows: the rows of each split, in order.
    origin: the folder or file that the data came from, or its format, without paths of this machine.
    """

    fields: Schema
    columns: Mapping[str, NDArray[Any]]
    rows: Mapping[Split, RowIndices]
    split_by: SplitRule
    origin: str
    rejections: tuple[Rejection, ...] = ()
