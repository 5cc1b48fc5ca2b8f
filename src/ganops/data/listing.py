"""What a folder or an archive contains: names worth reading, and those rejected for their name or kind alone."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Protocol

from ganops.data.rejection import Rejection

_LITTER = {"__macosx", "thumbs.db", "desktop.ini", "@eadir"}  # left in every folder by desktops and NAS boxes


@dataclass(frozen=True)
class Candidate:
    """name: what `Files.read` takes. parts: its folders and file name, outermost first."""

    name: str
    parts: tuple[str, ...]


@dataclass
class Listing:
    """Candidates in no particular order; hidden files are in neither list."""

    candidates: list[Candidate] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


class Files(Protocol):
    """A folder or an archive; it can be sent to another process."""

    def scan(self) -> Listing:
        """List everything; raises DataError when it cannot be opened."""

    def read(self, name: str) -> bytes:
        """The content of one candidate; raises RefusedError."""


def is_hidden(part: str) -> bool:
    """Whether a folder or file is one that people do not mean by their images."""
    return part.startswith(".") or part.casefold() in _LITTER


def is_unreadable(name: str) -> bool:
    """Whether a name has control characters, or bytes that are not text in the file system's encoding."""
    if name.isprintable():
        return False
    # Not all that isprintable() refuses is unreadable: screenshots are named with narrow spaces.
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
