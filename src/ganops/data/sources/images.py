"""Your own images: a folder or a zip file, with or without train/test and class folders."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganops.data.archive import Archive
from ganops.data.auto import choose_format, sample
from ganops.data.decode import KINDS, SUFFIXES, inspect
from ganops.data.disk_array import disk_array
from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.folder import Folder
from ganops.data.image_format import ImageFormat, Pixels
from ganops.data.layout import Place, class_names, read_layout
from ganops.data.listing import Candidate, Files
from ganops.data.packed import SPLITS, RowIndices, Split
from ganops.data.raw_dataset import RawDataset
from ganops.data.rejection import BROKEN, Reason, Rejection, check_share, offenders, printable
from ganops.data.sources.source import SOURCES, Source, SourceContext
from ganops.data.spec import IMAGE, LABEL
from ganops.data.splitting import Hashes, Labels, hash_order, split_by_hash
from ganops.data.workers import decode_all, work_all
from ganops.errors import DataError, SettingsError
from ganops.progress import progress

REPORT_EVERY = 100  # images


@dataclass(frozen=True)
class _Decoded:
    """One row for each candidate. pixel_hashes: b"" where the candidate was rejected."""

    images: Pixels
    file_hashes: Hashes
    pixel_hashes: list[bytes]
    rejected: dict[int, Rejection]


@SOURCES.add("images")
class Images(Source):
    """Every usable image below `data.path`, each split in an order that depends on the files' contents alone."""

    def collect(self, context: SourceContext) -> RawDataset:
        """Raises DataError where there is nothing to read, or where too many of the files are damaged."""
        if context.params.path is None:
            raise SettingsError(
                "data.path is missing",
                code="missing-key",
                expected="a folder or a zip file, because data.source is 'images'",
                action="set data.path",
            )
        path = context.params.path.expanduser()
        files = open_files(path)
        listing = files.scan()
        candidates = sorted(listing.candidates, key=lambda each: each.parts)
        form = context.image_format(_natural(files, candidates, context))
        decoded = _decode(files, candidates, form, context.scratch, context.processes)
        usable = [row for row in range(len(candidates)) if row not in decoded.rejected]
        layout = read_layout([candidates[row] for row in usable])
        places = {row: each for row, each in zip(usable, layout.places, strict=True) if isinstance(each, Place)}
        refused = [*listing.rejections, *decoded.rejected.values()]
        refused += [each for each in layout.places if isinstance(each, Rejection)]
        refused += _take_duplicates(candidates, places, decoded.pixel_hashes)
        refused += _take_untrained(candidates, places)
        rejections = tuple(sorted(refused, key=lambda each: each.name))
        if not places:
            raise DataError(
                f"there are no usable images in {path}",
                code="no-images",
                expected=f"files of the kinds {', '.join(KINDS)}",
                found=offenders(rejections) if rejections else "no files",
            )
        broken = [each for each in rejections if each.reason in BROKEN and each.name.casefold().endswith(SUFFIXES)]
        check_share(broken, len(broken) + len(places), context.params.max_rejected)
        fields: dict[str, Field] = {IMAGE: ImageField(channels=form.channels, size=form.size)}
        columns: dict[str, NDArray[Any]] = {IMAGE: decoded.images}
        classes = class_names(place.folder for place in places.values())
        if classes:
            fields[LABEL] = CategoryField(classes=classes)
            columns[LABEL] = _labels(places, classes, len(candidates))
        return RawDataset(
            fields=fields,
            columns=columns,
            rows=_rows(places, columns.get(LABEL), decoded.file_hashes, context.params.test_share),
            split_by="folders" if layout.has_splits else "content",
            origin=printable(path.name),
            rejections=rejections,
        )


def open_files(path: Path) -> Files:
    """The folder or zip file at `path`; raises DataError when it is neither."""
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise DataError(
            f"{path} does not exist",
            code="path-missing",
            expected="a folder or a zip file",
            action="correct data.path in params.yaml",
        )
    if zipfile.is_zipfile(path):
        return Archive(path)
    if path.suffix.casefold() == ".zip":
        raise DataError(
            f"{path} is a damaged zip file",
            code="archive-damaged",
            found="it lacks the table of contents that ends a zip file",
            action="copy or download it again; usually the download was interrupted",
        )
    raise DataError(
        f"{path} is neither a folder nor a zip file",
        code="path-unsupported",
        action="unpack it, or give the folder that contains it",
    )


def _natural(files: Files, candidates: Sequence[Candidate], context: SourceContext) -> ImageFormat:
    """The format that the images themselves suggest; looked for only where a setting is auto."""
    if "auto" not in (context.params.image_size, context.params.channels):
        return choose_format([])
    names = [each.name for each in candidates if each.name.casefold().endswith(SUFFIXES)]
    chosen = sample(names or [each.name for each in candidates])
    inspected = work_all(files, chosen, inspect, context.processes)
    return choose_format([result for _, result in inspected if not isinstance(result, Rejection)])


def _decode(
    files: Files, candidates: Sequence[Candidate], form: ImageFormat, scratch: Path, processes: int | None
) -> _Decoded:
    count = len(candidates)
    decoded = _Decoded(
        disk_array(scratch, (count, *form.shape), np.uint8), np.zeros((count, 32), dtype=np.uint8), [b""] * count, {}
    )
    with progress("prepare images", count, "images") as bar:
        names = [each.name for each in candidates]
        for done, (row, outcome) in enumerate(decode_all(files, names, form, processes), start=1):
            if isinstance(outcome, Rejection):
                decoded.rejected[row] = outcome
            else:
                decoded.images[row] = outcome.pixels
                decoded.file_hashes[row] = np.frombuffer(outcome.file_hash, dtype=np.uint8)
                decoded.pixel_hashes[row] = outcome.pixel_hash
            if done % REPORT_EVERY == 0 or done == count:
                bar.update(done, f"{len(decoded.rejected):,} rejected" if decoded.rejected else "")
    return decoded


def _take_duplicates(
    candidates: Sequence[Candidate], places: dict[int, Place], pixel_hashes: Sequence[bytes]
) -> list[Rejection]:
    """Remove all but the first image of those with the same pixels: training's before the test's, then by name."""
    first: dict[bytes, int] = {}
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


def _rows(
    places: dict[int, Place], labels: Labels | None, file_hashes: Hashes, test_share: float
) -> dict[Split, RowIndices]:
    kept = np.array(sorted(places), dtype=np.int64)
    if all(place.split is None for place in places.values()):
        split = split_by_hash(file_hashes[kept], test_share, None if labels is None else labels[kept])
        return {name: kept[rows] for name, rows in split.items()}
    ordered = kept[hash_order(file_hashes[kept])]
    return {split: ordered[[places[row].split == split for row in ordered]] for split in SPLITS}
