"""From decoded rows to a data set: splits and classes by folders or content, and each picture only once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganops.data.decode import KINDS, SUFFIXES
from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.layout import Place, class_names, read_layout
from ganops.data.listing import Candidate
from ganops.data.packed import SPLITS, RowIndices, Split
from ganops.data.raw_dataset import RawDataset
from ganops.data.rejection import BROKEN, Reason, Rejection, check_share, offenders
from ganops.data.sources.source import SourceContext
from ganops.data.spec import LABEL, SOURCE
from ganops.data.splitting import Hashes, Labels, hash_order, split_by_hash, tied
from ganops.errors import DataError


@dataclass(frozen=True)
class RowSet:
    """Rows by the file that stands for each, whose folders give its split and class.

    hashes: what decides the split where folders do not. pixel_hashes: by column; rows with equal ones are duplicates.
    unusable: rows that were rejected; why stands in `rejections`, with all else that was.
    """

    candidates: Sequence[Candidate]
    fields: Mapping[str, Field]
    columns: Mapping[str, NDArray[Any]]
    hashes: Hashes
    pixel_hashes: Mapping[str, Sequence[bytes]]
    unusable: frozenset[int]
    rejections: Sequence[Rejection]


def assemble(rows: RowSet, context: SourceContext, origin: str) -> RawDataset:
    """Raises DataError where there is nothing to use, or where too many of the files are damaged."""
    usable = [row for row in range(len(rows.candidates)) if row not in rows.unusable]
    layout = read_layout([rows.candidates[row] for row in usable])
    places = {row: each for row, each in zip(usable, layout.places, strict=True) if isinstance(each, Place)}
    refused = [*rows.rejections, *(each for each in layout.places if isinstance(each, Rejection))]
    refused += _take_duplicates(rows.candidates, places, list(zip(*rows.pixel_hashes.values(), strict=True)))
    refused += _take_untrained(rows.candidates, places)
    rejections = tuple(sorted(refused, key=lambda each: each.name))
    if not places:
        raise DataError(
            f"there are no usable images in {origin}",
            code="no-images",
            expected=f"files of the kinds {', '.join(KINDS)}",
            found=offenders(rejections) if rejections else "no files",
        )
    broken = [each for each in rejections if each.reason in BROKEN and each.name.casefold().endswith(SUFFIXES)]
    check_share(broken, len(broken) + len(places), context.params.max_rejected)
    fields, columns = dict(rows.fields), dict(rows.columns)
    classes = class_names(place.folder for place in places.values())
    if classes:
        fields[LABEL] = CategoryField(classes=classes)
        columns[LABEL] = _labels(places, classes, len(rows.candidates))
    return RawDataset(
        fields=fields,
        columns=columns,
        rows=_rows(rows, places, columns.get(LABEL), context.params.test_share),
        split_by="folders" if layout.has_splits else "content",
        origin=origin,
        rejections=rejections,
    )


def _take_duplicates(
    candidates: Sequence[Candidate], places: dict[int, Place], pixel_hashes: Sequence[tuple[bytes, ...]]
) -> list[Rejection]:
    """Remove all but the first image of those with the same pixels: training's before the test's, then by name."""
    first: dict[tuple[bytes, ...], int] = {}
    duplicates = []
    for row in sorted(places, key=lambda row: (places[row].split == "test", row)):
        original = first.setdefault(pixel_hashes[row], row)
        if original != row:
            detail = f"the same pixels as {candidates[original].name}"
            if places[original].folder != places[row].folder:
                detail += ", which is of another class"
            duplicates.append(Rejection(candidates[row].name, Reason.DUPLICATE, detail))
            del places[row]
    return duplicates


def _take_untrained(candidates: Sequence[Candidate], places: dict[int, Place]) -> list[Rejection]:
    """Remove test images of classes that have no training image, where the folders give the splits."""
    trained = {place.folder for place in places.values() if place.split != "test"}
    rows = [row for row, place in places.items() if place.folder not in trained] if trained else []
    for row in rows:
        del places[row]
    return [Rejection(candidates[row].name, Reason.MISPLACED, "its class has no training image") for row in rows]


def _labels(places: dict[int, Place], classes: Sequence[str], count: int) -> Labels:
    """One label for each candidate; -1 for those that are not used."""
    index = {name: label for label, name in enumerate(classes)}
    labels = np.full(count, -1, dtype=np.int64)
    for row, place in places.items():
        if place.folder is not None:
            labels[row] = index[place.folder]
    return labels


def _rows(rows: RowSet, places: dict[int, Place], labels: Labels | None, test_share: float) -> dict[Split, RowIndices]:
    kept = np.array(sorted(places), dtype=np.int64)
    if all(place.split is None for place in places.values()):
        hashes = rows.hashes[kept]
        if len(rows.pixel_hashes) > 1:
            hashes = tied(hashes, [_shown(rows, name, kept) for name in rows.pixel_hashes])
        split = split_by_hash(hashes, test_share, None if labels is None else labels[kept])
        return {name: kept[found] for name, found in split.items()}
    ordered = kept[hash_order(rows.hashes[kept])]
    return {split: ordered[[places[row].split == split for row in ordered]] for split in SPLITS}


def _shown(rows: RowSet, name: str, kept: RowIndices) -> list[bytes | int]:
    """For each row, what is equal where two pictures of a column show the same, so that both must be in one split.

    Label maps to be made, and pictures to be made that have one colour (empty masks), may be equal by chance.
    """
    hashes, column = rows.pixel_hashes[name], rows.columns[name]
    if name == SOURCE:
        return [hashes[row] for row in kept]
    counts = Counter(hashes[row] for row in kept) if isinstance(rows.fields[name], ImageField) else Counter[bytes]()
    return [
        hashes[row] if counts[hashes[row]] > 1 and (column[row] != column[row][:, :1, :1]).any() else int(row)
        for row in kept
    ]
