"""A person's own images: a folder or a zip file, with or without train/test and class folders."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganops.data.archive import Archive
from ganops.data.decode import KINDS
from ganops.data.disk_array import disk_array
from ganops.data.folder import Folder
from ganops.data.image_format import ImageFormat, Pixels
from ganops.data.layout import Layout, Place, read_layout
from ganops.data.listing import Candidate, Files
from ganops.data.packed import SPLITS, Split
from ganops.data.raw_dataset import Labels, RawDataset
from ganops.data.rejection import Reason, Rejection, check_share, printable
from ganops.data.splitting import Hashes, Rows, hash_order, split_by_hash
from ganops.data.workers import decode_all
from ganops.errors import DataError
from ganops.progress import progress

REPORT_EVERY = 100  # images


@dataclass(frozen=True)
class _Decoded:
    """One row for each candidate. pixel_hashes: b"" where the candidate was rejected."""

    images: Pixels
    file_hashes: Hashes
    pixel_hashes: list[bytes]
    rejected: dict[int, Rejection]


def collect(
    path: Path, form: ImageFormat, test_share: float, max_rejected: float, room: Path, processes: int | None = None
) -> RawDataset:
    """Every usable image below `path`, each split in an order that depends on the files' contents alone.

    room: a folder on whose disk the pixels lie until they are packed.
    Raises DataError when there is nothing to be read, or when more than the share `max_rejected` is unusable.
    """
    files = open_files(path)
    listing = files.scan()
    candidates = sorted(listing.candidates, key=lambda each: each.parts)
    if not candidates:
        raise DataError(
            f"there are no images in {path}",
            expected=f"files of the kinds {', '.join(KINDS)}",
            found=f"{len(listing.rejections):,} entries, none of them usable" if listing.rejections else "nothing",
        )
    layout = read_layout(candidates)
    decoded = _decode(files, candidates, form, room, processes)
    rejected = _refuse_misplaced(layout, decoded.rejected)
    rejected = _refuse_duplicates(candidates, layout, decoded.pixel_hashes, rejected)
    rejections = sorted([*listing.rejections, *rejected.values()], key=lambda each: each.name)
    check_share(rejections, len(candidates) + len(listing.rejections), max_rejected)
    kept = np.array([row for row in range(len(candidates)) if row not in rejected], dtype=np.int64)
    return RawDataset(
        images=decoded.images,
        labels=_labels(layout) if layout.classes else None,
        rows=_rows(layout, kept, decoded.file_hashes, test_share),
        classes=layout.classes,
        split_by="folders" if layout.has_splits else "content",
        origin=printable(path.name),
        rejections=tuple(rejections),
    )


def open_files(path: Path) -> Files:
    """The folder or zip file at `path`; raises DataError when it is neither."""
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise DataError(
            f"{path} does not exist", expected="a folder or a zip file", action="mend data.path in params.yaml"
        )
    if zipfile.is_zipfile(path):
        return Archive(path)
    if path.suffix.casefold() == ".zip":
        raise DataError(
            f"{path} is a damaged zip file",
            found="no table of contents, which stands at its end",
            action="copy or download it again: it is mostly cut short",
        )
    raise DataError(f"{path} is neither a folder nor a zip file", action="unpack it, or give the folder that holds it")


def _decode(
    files: Files, candidates: Sequence[Candidate], form: ImageFormat, room: Path, processes: int | None
) -> _Decoded:
    count = len(candidates)
    decoded = _Decoded(
        disk_array(room, (count, *form.shape), np.uint8), np.zeros((count, 32), dtype=np.uint8), [b""] * count, {}
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


def _refuse_misplaced(layout: Layout, rejected: dict[int, Rejection]) -> dict[int, Rejection]:
    """What cannot be decoded is rejected for that, wherever it lies."""
    misplaced = {row: place for row, place in enumerate(layout.places) if isinstance(place, Rejection)}
    return misplaced | rejected


def _refuse_duplicates(
    candidates: Sequence[Candidate], layout: Layout, pixel_hashes: Sequence[bytes], rejected: dict[int, Rejection]
) -> dict[int, Rejection]:
    """Keep the first image of those with the same pixels: training's before the test's, then by name."""
    places = {row: place for row, place in enumerate(layout.places) if isinstance(place, Place) and row not in rejected}
    first: dict[bytes, int] = {}
    duplicates = {}
    for row in sorted(places, key=lambda row: (places[row].split == "test", row)):
        original = first.setdefault(pixel_hashes[row], row)
        if original != row:
            detail = f"the same pixels as {candidates[original].name}"
            if places[original].label != places[row].label:
                detail += ", which is of another class"
            duplicates[row] = Rejection(candidates[row].name, Reason.DUPLICATE, detail)
    return rejected | duplicates


def _labels(layout: Layout) -> Labels:
    return np.array([place.label if isinstance(place, Place) else -1 for place in layout.places], dtype=np.int64)


def _rows(layout: Layout, kept: Rows, file_hashes: Hashes, test_share: float) -> dict[Split, Rows]:
    if not layout.has_splits:
        return {split: kept[rows] for split, rows in split_by_hash(file_hashes[kept], test_share).items()}
    splits = np.array([place.split if isinstance(place, Place) else "" for place in layout.places])
    ordered = kept[hash_order(file_hashes[kept])]
    return {split: ordered[splits[ordered] == split] for split in SPLITS}
