"""A model on all pictures of a folder: files of the same names in another folder; what is done is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ganops.applying.picture_file import (
    MOST_BYTES,
    FileFormat,
    check_size,
    output_name,
    read_picture_file,
    read_size,
)
from ganops.applying.record import Record
from ganops.applying.translator import PictureTranslator
from ganops.data.decode import SUFFIXES
from ganops.data.fields.label_map import LabelMapField
from ganops.data.folder import Folder
from ganops.data.listing import Candidate, Listing
from ganops.data.rejection import Reason, RefusedError, Rejection, offenders
from ganops.errors import DataError
from ganops.progress import Progress, progress

RECORD = "ganops-apply.jsonl"  # next to the pictures that are written


@dataclass(frozen=True)
class Applied:
    """written: names of the pictures made now. kept: how many had been made before. rejections: files left out."""

    written: tuple[str, ...]
    kept: int
    rejections: tuple[Rejection, ...]


@dataclass(frozen=True)
class _Job:
    """One picture to be translated: names of both files, and how many pixels the source has."""

    source: str
    output: str
    pixels: int


def apply_to_folder(
    translator: PictureTranslator,
    source: Path,
    output: Path,
    settings: Mapping[str, Any],
    form: FileFormat = "same",
    *,
    again: bool = False,
) -> Applied:
    """Translate the picture or all pictures below the folder `source` into `output`, where folders stay as they are.

    settings: what decides the results, such as the model's digest. `output` keeps a record of them and of each picture:
    what was made from the same file under the same settings is kept; with other settings the folder is refused,
    unless `again` says that all is to be made once more.

    A file that cannot be used is rejected and listed; all headers are read before any work.
    Raises DataError for a folder without pictures and for folders that lie within each other; without `again`, also
    where `output` has no record but holds files of these names, since this function did not write them.
    """
    files, listing = _listing(source)
    _check_apart(source, output)
    jobs, rejections = _plan(files, listing, translator, form)
    if not again:
        _check_own_pictures(jobs, output)
    output.mkdir(parents=True, exist_ok=True)
    record = Record.open(output / RECORD, {**settings, "format": form}, again=again)
    written, kept = list[str](), 0
    with progress("apply", sum(job.pixels for job in jobs) // 1000, "kpx") as bar:
        before = 0
        for job in jobs:
            meter = partial(_advance, bar, before, job)
            try:
                if _translate_file(translator, files, job, output, record, meter):
                    written.append(job.output)
                else:
                    kept += 1
            except RefusedError as refused:
                rejections.append(Rejection(job.source, refused.reason, refused.detail))
            before += job.pixels
            meter(1.0)
    if not (written or kept):
        raise DataError(
            f"{source} holds no picture that can be used",
            code="no-pictures",
            expected=f"files of the kinds {', '.join(SUFFIXES)}",
            found=offenders(rejections) or "no files",
        )
    return Applied(tuple(written), kept, tuple(sorted(rejections, key=lambda each: each.name)))


def _translate_file(
    translator: PictureTranslator,
    files: Folder,
    job: _Job,
    output: Path,
    record: Record,
    report: Callable[[float], None],
) -> bool:
    """Whether the picture had to be made; raises RefusedError."""
    content = files.read(job.source)
    digest = hashlib.sha256(content).hexdigest()
    if record.has(job.output, digest):
        return False
    picture = read_picture_file(content, labels=isinstance(translator.input, LabelMapField))
    picture.save(translator(picture.pixels, report), output / job.output)
    record.add(job.output, digest)
    return True


def _advance(bar: Progress, before: int, job: _Job, share: float) -> None:
    bar.update(int(before + share * job.pixels) // 1000, job.source)


def _listing(source: Path) -> tuple[Folder, Listing]:
    if source.is_dir():
        folder = Folder(source, MOST_BYTES)
        return folder, folder.scan()
    if source.is_file():
        return Folder(source.parent, MOST_BYTES), Listing([Candidate(source.name, (source.name,))])
    raise DataError(
        f"{source} does not exist", code="path-missing", expected="a picture or a folder", action="correct the path"
    )


def _check_apart(source: Path, output: Path) -> None:
    """The results must not become sources of the next call, nor take the place of the picture."""
    place, own = output.resolve(), source.resolve()
    if place.is_relative_to(own) if own.is_dir() else place == own.parent:
        raise DataError(
            "the results would lie among the pictures",
            code="output-inside",
            expected=f"a folder outside of {own if own.is_dir() else own.parent}",
            found=str(output),
            action="give another -o",
        )


def _check_own_pictures(jobs: Sequence[_Job], output: Path) -> None:
    """Nothing that somebody else has put into the folder is replaced."""
    if (output / RECORD).is_file():
        return
    if own := [job.output for job in jobs if (output / job.output).exists()]:
        raise DataError(
            f"{output} holds files of the names that would be written",
            code="output-exists",
            expected="a new folder, or one that `ganops apply` has written",
            found=", ".join(own[:3]) + (f" and {len(own) - 3:,} more" if len(own) > 3 else ""),
            action="give another -o, or --again to replace them",
        )


def _plan(
    files: Folder, listing: Listing, translator: PictureTranslator, form: FileFormat
) -> tuple[list[_Job], list[Rejection]]:
    """What is to be translated, by name, and what cannot be."""
    labels = isinstance(translator.output, LabelMapField)
    scale = translator.tiling.scale
    jobs: dict[str, _Job] = {}
    rejections = list(listing.rejections)
    for candidate in sorted(listing.candidates, key=lambda each: each.parts):
        try:
            with files.open(candidate.name) as file:
                width, height = read_size(file)
            name = output_name(candidate.name, form, labels=labels)
            check_size(name, scale * width, scale * height)
            if name in jobs:
                raise RefusedError(Reason.DUPLICATE, f"{jobs[name].source} is written under the same name")
        except RefusedError as refused:
            rejections.append(Rejection(candidate.name, refused.reason, refused.detail))
        else:
            jobs[name] = _Job(candidate.name, name, width * height)
    return list(jobs.values()), rejections
