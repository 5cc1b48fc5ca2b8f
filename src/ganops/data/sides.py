"""Which pictures of a collection are on side A and which on side B, where its folders say so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from ganops.data.decode import SUFFIXES
from ganops.data.layout import TEST_FOLDERS, TRAIN_FOLDERS
from ganops.data.listing import Candidate
from ganops.data.rejection import Reason, Rejection

Side = Literal["A", "B"]
_SPLITS = (*TRAIN_FOLDERS, *TEST_FOLDERS)
_FOLDER = re.compile(rf"(?:((?i:{'|'.join(_SPLITS)}))[_-]?)?([AB])")

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Sides:
    """The pictures of both sides. Their `parts` lack the folder of the side; a split is the first folder then.

    outside: pictures on neither side.
    """

    a: tuple[Candidate, ...]
    b: tuple[Candidate, ...]
    outside: tuple[Rejection, ...]

    @property
    def are_pairs(self) -> bool:
        """Whether at least half of the pictures of the smaller side have a partner of the same name on the other."""
        names_a, names_b = {key(each) for each in self.a}, {key(each) for each in self.b}
        return 2 * len(names_a & names_b) >= min(len(names_a), len(names_b))


@dataclass(frozen=True)
class Pairs:
    """rows: pictures of A with their partners of B, by name. rejections: pictures without a partner."""

    rows: tuple[tuple[Candidate, Candidate], ...]
    rejections: tuple[Rejection, ...]


def read_sides(images: Sequence[Candidate]) -> Sides | None:
    """Both sides, or None where the folders do not name them.

    - `A/` and `B/` are the sides; `train/A/` or `A/train/` are a side and a split, and so is `trainA/` or `train_A/` as
      in CycleGAN's data sets. The names of splits are those of `read_layout`.
    - Folders around both of them mean nothing; folders inside of them are read as without sides.
    - They must hold more than half of the images, and all that lie in folders next to them: where there is a `C/`, too,
      these are classes. Then images outside of them do not fit.
    """
    found = {image: place for image in images for place in [_place(image.parts)] if place is not None}
    if not found:
        return None
    [(around, count)] = Counter(around for around, _, _ in found.values()).most_common(1)
    sides: dict[str, list[Candidate]] = {"A": [], "B": []}
    outside = []
    for image in images:
        if image in found and found[image][0] == around:
            _, side, parts = found[image]
            sides[side].append(Candidate(image.name, parts))
        else:
            outside.append(Rejection(image.name, Reason.MISPLACED, "outside of the folders A and B"))
    apart = any(_beside(image.parts, around) for image in images if image not in found)
    if not sides["A"] or not sides["B"] or 2 * count <= len(images) or apart:
        return None
    return Sides(tuple(sides["A"]), tuple(sides["B"]), tuple(outside))


def match(sides: Sides) -> Pairs:
    """Pictures of equal names, whatever their kind of file; of a name twice on one side, an image is used."""
    rejections: list[Rejection] = []
    named_a, named_b = (dict(_by_name(side, rejections)) for side in (sides.a, sides.b))
    for own, other, side in ((named_a, named_b, "B"), (named_b, named_a, "A")):
        rejections += [
            Rejection(own[name].name, Reason.UNMATCHED, f"side {side} has no picture of this name")
            for name in own.keys() - other.keys()
        ]
    rows = tuple((named_a[name], named_b[name]) for name in sorted(named_a.keys() & named_b.keys()))
    return Pairs(rows, tuple(rejections))


def key(image: Candidate) -> Parts:
    """What pictures of a pair have in common: the folders inside of the side, and the name without its ending."""
    return (*image.parts[:-1], PurePosixPath(image.parts[-1]).stem)


def _by_name(side: Sequence[Candidate], rejections: list[Rejection]) -> Iterator[tuple[Parts, Candidate]]:
    first: dict[Parts, Candidate] = {}
    for image in sorted(side, key=lambda each: (not each.name.casefold().endswith(SUFFIXES), each.parts)):
        same = first.setdefault(key(image), image)
        if same is image:
            yield key(image), image
        else:
            rejections.append(Rejection(image.name, Reason.UNMATCHED, f"{same.name} has the same name"))


def _beside(parts: Parts, around: Parts) -> bool:
    """Whether a picture on no side lies in a folder next to the sides."""
    return parts[: len(around)] == around and len(parts) > len(around) + 1


def _place(parts: Parts) -> tuple[Parts, str, Parts] | None:
    """The folders around both sides, the side, and the parts without it; None for a picture on no side."""
    for level, folder in enumerate(parts[:-1]):
        named = _FOLDER.fullmatch(folder)
        if named is None:
            continue
        split, side = named[1], named[2]
        around = parts[:level]
        if split is None and around and around[-1].casefold() in _SPLITS:
            around, split = around[:-1], around[-1]
        return around, side, (*([split.casefold()] if split else []), *parts[level + 1 :])
    return None
