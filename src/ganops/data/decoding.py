"""Many image files as packed columns, which lie on the disk while they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ganops.data.auto import choose_format, sample
from ganops.data.decode import SUFFIXES, inspect, peak
from ganops.data.decoders import Decoder
from ganops.data.disk_array import disk_array
from ganops.data.image_format import ImageFormat, Pixels
from ganops.data.listing import Candidate, Files
from ganops.data.rejection import Rejection
from ganops.data.sixteen_bits import FULL, check_range
from ganops.data.sources.source import SourceContext
from ganops.data.splitting import Hashes
from ganops.data.workers import decode_all, work_all
from ganops.progress import progress

REPORT_EVERY = 100  # images


@dataclass(frozen=True)
class DecodedFiles:
    """One row for each file, in each of the columns that the decoder makes.

    pixel_hashes: of each column; b"" where the file was rejected. rejected: by row.
    """

    columns: tuple[Pixels, ...]
    file_hashes: Hashes
    pixel_hashes: tuple[list[bytes], ...]
    rejected: dict[int, Rejection]


def decode_files(
    files: Files, candidates: Sequence[Candidate], decoder: Decoder, context: SourceContext, what: str = "images"
) -> DecodedFiles:
    """Decode all candidates; raises DataError where the disk is full or a decoding process is killed."""
    count = len(candidates)
    decoded = DecodedFiles(
        tuple(disk_array(context.scratch, (count, *form.shape), np.uint8) for form in decoder.formats),
        np.zeros((count, 32), dtype=np.uint8),
        tuple([b""] * count for _ in decoder.formats),
        {},
    )
    names = [each.name for each in candidates]
    with progress(f"prepare {what}", count, "images") as bar:
        for done, (row, outcome) in enumerate(decode_all(files, names, decoder, context.processes), start=1):
            if isinstance(outcome, Rejection):
                decoded.rejected[row] = outcome
            else:
                for place, picture in enumerate(outcome.pictures):
                    decoded.columns[place][row] = picture
                    decoded.pixel_hashes[place][row] = outcome.pixel_hashes[place]
                decoded.file_hashes[row] = np.frombuffer(outcome.file_hash, dtype=np.uint8)
            if done % REPORT_EVERY == 0 or done == count:
                bar.update(done, f"{len(decoded.rejected):,} rejected" if decoded.rejected else "")
    return decoded


def find_format(
    files: Files,
    candidates: Sequence[Candidate],
    context: SourceContext,
    *,
    halves: bool = False,
    white: int | None = None,
) -> ImageFormat:
    """The format that the settings ask for; where one is auto, what a sample of the images themselves suggests.

    halves: each file is a side-by-side picture of two. white: of 16-bit files; None: 65535, and DataError is raised
    where they are nearly black by that.
    """
    chosen = sample([each.name for each in pictures(candidates)])
    if white is None:
        peaks = (result for _, result in work_all(files, chosen, peak, context.processes))
        check_range([each for each in peaks if isinstance(each, int)], len(chosen))
    return replace(_size_and_channels(files, chosen, context, halves=halves), white=white or FULL)


def _size_and_channels(files: Files, chosen: Sequence[str], context: SourceContext, *, halves: bool) -> ImageFormat:
    if "auto" not in (context.params.image_size, context.params.channels):
        return context.image_format(choose_format([]))
    inspected = work_all(files, chosen, inspect, context.processes)
    found = [result for _, result in inspected if not isinstance(result, Rejection)]
    if halves:
        found = [replace(each, width=each.width // 2) for each in found]
    return context.image_format(choose_format(found))


def pictures(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """The candidates that are images by the ends of their names; all of them where none is."""
    return [each for each in candidates if each.name.casefold().endswith(SUFFIXES)] or candidates
