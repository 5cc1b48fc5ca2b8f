"""A zip file of images, read in place: nothing is ever extracted to disk."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from functools import cached_property
from pathlib import Path

from ganops.data.decode import MAX_BYTES
from ganops.data.listing import Candidate, Listing, is_hidden, is_unreadable
from ganops.data.rejection import Reason, RefusedError, Rejection
from ganops.errors import DataError

_ENCRYPTED = 0x1  # general purpose flag, bit 0 (PKWARE APPNOTE 4.4.4)
# Only these let a reader bound the unpacked size; a bzip2 or LZMA entry of some KiB may fill the memory.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,  # a feature of later zip versions
)


class Archive:
    """The entries of the zip file at `path`. Each process that reads opens its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[type[Archive], tuple[Path]]:
        return Archive, (self.path,)

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except _BROKEN as error:
            raise DataError(
                f"{self.path} is not a complete zip file",
                code="archive-damaged",
                found=str(error),
                action="copy or download it again, and check it with: unzip -t",
            ) from error

    def scan(self) -> Listing:
        """List the entries by their headers; raises DataError when the table of contents is damaged."""
        listing = Listing()
        latest = {entry.filename: entry for entry in self._zip.infolist()}
        for entry in self._zip.infolist():
            # Windows programs write either slash, whatever the standard says.
            parts = tuple(part for part in re.split(r"[/\\]", entry.filename) if part not in ("", "."))
            outside = ".." in parts or re.match(r"[/\\]|[A-Za-z]:", entry.filename) is not None
            if entry.is_dir() or not parts or (not outside and any(is_hidden(part) for part in parts)):
                continue
            if outside:
                problem: tuple[Reason, str] | None = Reason.OUTSIDE, ""
            elif latest[entry.filename] is not entry:
                problem = Reason.DUPLICATE, "a later entry has the same name"
            else:
                problem = _problem(entry)
            if problem is None:
                listing.candidates.append(Candidate(entry.filename, parts))
            else:
                listing.rejections.append(Rejection(entry.filename, *problem))
        return listing

    def read(self, name: str) -> bytes:
        """The content of one entry; raises RefusedError."""
        try:
            with self._zip.open(name) as entry:
                # Bounded, whatever the entry declares: one that lies is cut and fails its checksum.
                return entry.read(MAX_BYTES + 1)
        except _BROKEN as error:
            raise RefusedError(Reason.DAMAGED, str(error)) from error


def _problem(entry: zipfile.ZipInfo) -> tuple[Reason, str] | None:
    if is_unreadable(entry.filename):
        return Reason.UNREADABLE_NAME, ""
    if stat.S_ISLNK(entry.external_attr >> 16):
        return Reason.LINK, ""
    if entry.flag_bits & _ENCRYPTED:
        return Reason.ENCRYPTED, ""
    if entry.compress_type not in _COMPRESSIONS:
        return Reason.UNREADABLE, "compressed with a method other than deflate"
    if entry.file_size > MAX_BYTES:
        return Reason.TOO_LARGE, f"unpacks to {entry.file_size / 2**20:,.0f} MiB, at most {MAX_BYTES // 2**20}"
    return None
