"""What the folders of an image collection mean: splits, classes, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ganops.data.decode import SUFFIXES
from ganops.data.listing import Candidate
from ganops.data.packed import Split
from ganops.data.rejection import Reason, Rejection

TRAIN_FOLDER, TEST_FOLDERS = "train", ("test", "val", "valid", "validation")

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """split: given by the folders, or None where the content decides. label: index of the class, -1 for none."""

    split: Split | None
    label: int


@dataclass(frozen=True)
class Layout:
    """classes: in the order of their labels. places: one for each candidate; a Rejection where it fits nowhere."""

    classes: tuple[str, ...]
    places: tuple[Place | Rejection, ...]
    has_splits: bool


def read_layout(candidates: Sequence[Candidate]) -> Layout:
    """Read the meaning of folders from the files that are named like images (from all where none is).

    - Folders around everything else are wrapping and mean nothing.
    - `train` beside `test` (or else `val`, `valid`, `validation`; in any case of letters) are the splits.
    - Then two or more folders are the classes, in alphabetical order; a single one says nothing and gives no label.
    - What lies beside the splits, beside the classes, or deeper than the classes fits nowhere.
    """
    named = [each.parts for each in candidates if each.parts[-1].casefold().endswith(SUFFIXES)]
    named = named or [each.parts for each in candidates]
    wrapping = _wrapping(named)
    splits = _splits(parts[len(wrapping)] for parts in named if len(parts) > len(wrapping) + 1)
    level = len(wrapping) + bool(splits)  # where class folders stand in a path
    inside = [parts for parts in named if not splits or parts[level - 1] in splits]
    folders = {parts[level] for parts in inside if len(parts) == level + 2}
    loose = any(len(parts) == level + 1 for parts in inside)
    classes = tuple(sorted(folders)) if len(folders) > 1 else ()
    labels = {name: label for label, name in enumerate(classes)}
    depth_expected = int(bool(classes) or (bool(folders) and not loose))

    def place(candidate: Candidate) -> Place | Rejection:
        parts = candidate.parts
        depth = len(parts) - 1 - level
        if parts[: len(wrapping)] != wrapping or depth < 0 or (splits and parts[level - 1] not in splits):
            return Rejection(candidate.name, Reason.MISPLACED, "beside the folders of all the others")
        if depth > 1:
            return Rejection(candidate.name, Reason.TOO_DEEP)
        if depth != depth_expected:
            detail = "in a folder, unlike the others" if depth else "in no folder, unlike the others"
            return Rejection(candidate.name, Reason.MISPLACED, detail)
        return Place(splits.get(parts[level - 1]) if splits else None, labels[parts[level]] if classes else -1)

    return Layout(classes, tuple(place(each) for each in candidates), bool(splits))


def _wrapping(names: Sequence[Parts]) -> Parts:
    """The outermost folders that all the files share."""
    level = 0
    while all(len(parts) > level + 1 for parts in names) and len({parts[level] for parts in names}) == 1:
        level += 1
    return names[0][:level]


def _splits(folders: Iterable[str]) -> dict[str, Split]:
    """Which folder is which split; empty where the folders are no splits."""
    named = {folder.casefold(): folder for folder in folders}
    test = next((named[name] for name in TEST_FOLDERS if name in named), None)
    if TRAIN_FOLDER not in named or test is None:
        return {}
    return {named[TRAIN_FOLDER]: "train", test: "test"}
