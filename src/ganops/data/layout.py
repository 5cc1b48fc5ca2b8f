"""What the folders of a collection of images mean: splits, classes, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ganops.data.listing import Candidate
from ganops.data.packed import Split
from ganops.data.rejection import Reason, Rejection

TRAIN_FOLDERS, TEST_FOLDERS = ("train", "training"), ("test", "testing", "val", "valid", "validation")
IMAGES_PER_CLASS = 2  # on average; folders with fewer are not classes

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """split: None where the content decides. folder: the class folder; None without classes."""

    split: Split | None
    folder: str | None


@dataclass(frozen=True)
class Layout:
    """places: one for each image; a Rejection where it does not fit."""

    places: tuple[Place | Rejection, ...]
    has_splits: bool


def read_layout(images: Sequence[Candidate]) -> Layout:
    """The meaning of the folders that the usable images lie in.

    - Folders around all images mean nothing.
    - `train` or `training`, and `test` (or else `testing`, `val`, `valid`, `validation`; in any case of letters) are
      splits where most images lie in them; then an image elsewhere does not fit.
    - Inside of these, two or more folders are classes where most images lie in them and they hold two images each on
      average; then an image in none of them does not fit. What lies deeper belongs to the outermost of these folders.
    - Otherwise the folders mean nothing, and all images are used.
    """
    if not images:
        return Layout((), has_splits=False)
    names = [each.parts for each in images]
    outer = len(_shared_folders(names))
    splits = _splits([parts[outer] for parts in names if len(parts) > outer + 1], len(names))
    level = outer + bool(splits)
    folders = [_folder(parts, level) for parts in names if not splits or _folder(parts, outer) in splits]
    in_folders = 2 * folders.count(None) < len(folders)
    if in_folders and not splits and len(set(folders) - {None}) == 1:  # some images lie around the folder of the others
        return _around(images, folders)
    classes = set(class_names(folders)) if in_folders else set()

    def place(image: Candidate) -> Place | Rejection:
        folder = _folder(image.parts, level)
        if splits and _folder(image.parts, outer) not in splits:
            return Rejection(image.name, Reason.MISPLACED, "outside of the folders of the splits")
        if classes and folder is None:
            return Rejection(image.name, Reason.MISPLACED, "outside of the folders of the classes")
        return Place(splits[image.parts[outer]] if splits else None, folder if classes else None)

    return Layout(tuple(place(each) for each in images), bool(splits))


def _around(images: Sequence[Candidate], folders: Sequence[str | None]) -> Layout:
    """The layout inside of the only folder, where that has splits or classes; then the images around it do not fit."""
    inside = read_layout([image for image, folder in zip(images, folders, strict=True) if folder is not None])
    if not inside.has_splits and not any(isinstance(place, Place) and place.folder for place in inside.places):
        return Layout((Place(None, None),) * len(images), has_splits=False)
    places = iter(inside.places)
    outside = "outside of the folder of the others"
    return Layout(
        tuple(
            Rejection(image.name, Reason.MISPLACED, outside) if folder is None else next(places)
            for image, folder in zip(images, folders, strict=True)
        ),
        inside.has_splits,
    )


def class_names(folders: Iterable[str | None]) -> tuple[str, ...]:
    """The classes that class folders of images amount to, in alphabetical order; none where they say too little."""
    counts = Counter(folder for folder in folders if folder is not None)
    return tuple(sorted(counts)) if len(counts) > 1 and counts.total() >= IMAGES_PER_CLASS * len(counts) else ()


def _folder(parts: Parts, level: int) -> str | None:
    return parts[level] if len(parts) > level + 1 else None


def _shared_folders(names: Sequence[Parts]) -> Parts:
    """The outermost folders that all images share."""
    level = 0
    while all(len(parts) > level + 1 for parts in names) and len({parts[level] for parts in names}) == 1:
        level += 1
    return names[0][:level]


def _splits(folders: Sequence[str], total: int) -> dict[str, Split]:
    """Which folder is which split; empty where the folders are not splits."""
    named = {folder.casefold(): folder for folder in folders}
    train, test = (
        next((named[name] for name in names if name in named), None) for names in (TRAIN_FOLDERS, TEST_FOLDERS)
    )
    if train is None or test is None:
        return {}
    splits: dict[str, Split] = {train: "train", test: "test"}
    return splits if 2 * sum(folder in splits for folder in folders) > total else {}
