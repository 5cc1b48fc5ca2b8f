"""Inputs that did not become images: why, how many, and when there are too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ganops.errors import DataError

OFFENDING_REASONS, OFFENDING_NAMES = 3, 3  # how many an error names: the most frequent reasons, some names of each
MAX_DETAIL = 120  # characters


class Reason(StrEnum):
    """Why an input is not an image of the data set; the manifest counts by these words."""

    NOT_AN_IMAGE = "not an image"
    DAMAGED = "truncated or damaged"
    EMPTY = "empty file"
    TOO_LARGE = "too large"
    UNREADABLE_NAME = "unreadable name"
    PERMISSION = "permission denied"
    UNREADABLE = "cannot be read"
    OUTSIDE = "points outside of the archive"
    ENCRYPTED = "encrypted"
    LINK = "symbolic link"
    SPECIAL = "not a regular file"
    MISPLACED = "outside of the class or split folders"
    UNMATCHED = "without a partner"
    BAD_LABELS = "not a label map"
    DUPLICATE = "duplicate"


# These say that images are lost, as after an interrupted download; the others are what folders hold besides images.
BROKEN = frozenset(
    {Reason.DAMAGED, Reason.EMPTY, Reason.TOO_LARGE, Reason.PERMISSION, Reason.UNREADABLE, Reason.ENCRYPTED}
)


class RefusedError(Exception):
    """Raised where an input proves to be unusable; `detail` completes the reason where there is more to say."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Rejection:
    """One unusable input: its name inside the source, and why."""

    name: str
    reason: Reason
    detail: str = ""

    @property
    def words(self) -> str:
        """The reason with its detail, safe to print and to write."""
        return f"{self.reason}: {printable(self.detail)[:MAX_DETAIL]}" if self.detail else str(self.reason)


def printable(text: str) -> str:
    r"""`text` with whatever a terminal or JSON might choke on (control characters, undecodable bytes) as \x escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def count_reasons(rejections: Sequence[Rejection]) -> dict[str, int]:
    """How many were rejected for each reason, the most frequent first."""
    return {str(reason): count for reason, count in Counter(each.reason for each in rejections).most_common()}


def check_share(broken: Sequence[Rejection], total: int, limit: float) -> None:
    """Raise DataError when more than the share `limit` of `total` image files is broken; it names some of them."""
    if len(broken) <= limit * total:
        return
    raise DataError(
        f"{len(broken):,} of {total:,} image files ({len(broken) / total:.1%}) cannot be used",
        code="too-many-rejected",
        expected=f"at most {limit:.1%} (data.max_rejected)",
        found=offenders(broken),
        action="repair or remove these files, or raise data.max_rejected",
    )


def offenders(rejections: Sequence[Rejection]) -> str:
    """The most frequent reasons with some names of each, on one line."""
    counts = count_reasons(rejections)
    parts = []
    for reason in list(counts)[:OFFENDING_REASONS]:
        names = [printable(each.name) for each in rejections if each.reason == reason]
        more = ", ..." if len(names) > OFFENDING_NAMES else ""
        parts.append(f"{counts[reason]:,} x {reason} ({', '.join(names[:OFFENDING_NAMES])}{more})")
    rest = sum(list(counts.values())[OFFENDING_REASONS:])
    return "; ".join([*parts, *([f"{rest:,} for other reasons"] if rest else [])])
