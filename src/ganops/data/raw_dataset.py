"""What a source returns: stored columns, which rows make up which split, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class RawDomains:
    """Two data sets whose rows do not belong together, each under the name of its domain.

    The first field of each has the name of the domain.
    """

    domains: Mapping[str, RawDataset]
    origin: str
    rejections: tuple[Rejection, ...] = ()

    @classmethod
    def join(cls, domains: Mapping[str, RawDataset], origin: str, rejections: tuple[Rejection, ...] = ()) -> RawDomains:
        """Two data sets with a first field of any name. rejections: further ones, that belong to no domain."""
        refused = [*rejections, *(each for dataset in domains.values() for each in dataset.rejections)]
        return cls(
            {name: _renamed(name, dataset) for name, dataset in domains.items()},
            origin,
            tuple(sorted(refused, key=lambda each: each.name)),
        )


def _renamed(domain: str, dataset: RawDataset) -> RawDataset:
    first, *others = dataset.fields
    names = {first: domain} | {name: name for name in others}
    return replace(
        dataset,
        fields={names[name]: field for name, field in dataset.fields.items()},
        columns={names[name]: column for name, column in dataset.columns.items() if name in names},
    )
