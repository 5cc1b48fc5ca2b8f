"""A folder of image files; symbolic links are never followed, whatever they point to."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ganops.data.decode import MAX_BYTES
from ganops.data.listing import Candidate, Listing, is_hidden, is_unreadable
from ganops.data.rejection import Reason, RefusedError, Rejection
from ganops.errors import DataError


class Folder:
    """The files below `root`; one of more than `max_bytes` is not read."""

    def __init__(self, root: Path, max_bytes: int = MAX_BYTES) -> None:
        self.root, self.max_bytes = root.resolve(), max_bytes

    def scan(self) -> Listing:
        """List all folders; one that cannot be read is rejected as a whole. Raises DataError where that is the root."""
        listing = Listing()
        waiting: list[tuple[str, ...]] = [()]
        while waiting:
            parts = waiting.pop()
            try:
                with os.scandir(self.root.joinpath(*parts)) as entries:
                    for entry in entries:
                        self._sort_in(entry, (*parts, entry.name), listing, waiting)
            except OSError as error:
                if not parts:
                    raise DataError(
                        f"the folder {self.root} cannot be read",
                        code="path-unreadable",
                        found=error.strerror or type(error).__name__,
                        action="check its permissions",
                    ) from error
                refusal = _refusal(error)
                listing.rejections.append(Rejection("/".join(parts), refusal.reason, refusal.detail))
        return listing

    def read(self, name: str) -> bytes:
        """The content of one file; raises RefusedError."""
        with self.open(name) as file:
            content = file.read(self.max_bytes + 1)
        if len(content) > self.max_bytes:
            raise RefusedError(Reason.TOO_LARGE, f"more than {self.max_bytes // 2**20} MiB")
        return content

    @contextmanager
    def open(self, name: str) -> Generator[BinaryIO]:
        """One file, opened; where that or reading it fails, the error becomes a RefusedError."""
        try:
            with (self.root / name).open("rb") as file:
                yield file
        except OSError as error:
            raise _refusal(error) from error

    def _sort_in(
        self, entry: os.DirEntry[str], parts: tuple[str, ...], listing: Listing, waiting: list[tuple[str, ...]]
    ) -> None:
        name = "/".join(parts)
        if is_hidden(entry.name):
            return
        if is_unreadable(entry.name):
            listing.rejections.append(Rejection(name, Reason.UNREADABLE_NAME))
        elif entry.is_symlink():
            listing.rejections.append(Rejection(name, Reason.LINK, self._link(Path(entry.path))))
        elif entry.is_dir(follow_symlinks=False):
            waiting.append(parts)
        elif entry.is_file(follow_symlinks=False):
            listing.candidates.append(Candidate(name, parts))
        else:
            # A pipe would block whoever opens it, a device might never end.
            listing.rejections.append(Rejection(name, Reason.SPECIAL))

    def _link(self, path: Path) -> str:
        """Where a link points, without any path of this machine."""
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: Python 3.12 and older, for a link to itself
            return "points nowhere, or to itself"
        if not target.is_relative_to(self.root):
            return "points outside of the folder"
        if path.is_relative_to(target):
            return "points back to a folder that contains it"
        return f"points to {target.relative_to(self.root).as_posix()}, which is read anyway"


def _refusal(error: OSError) -> RefusedError:
    if isinstance(error, PermissionError):
        return RefusedError(Reason.PERMISSION)
    return RefusedError(Reason.UNREADABLE, error.strerror or type(error).__name__)
