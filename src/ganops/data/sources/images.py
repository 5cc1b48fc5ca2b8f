"""Your own images: a folder or a zip file, with or without train/test, class and A/B folders."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field as Bounded

from ganops.data.archive import Archive
from ganops.data.fields.label_map import LabelTable
from ganops.data.folder import Folder
from ganops.data.label_tables import FILE, take_table
from ganops.data.listing import Files, Listing
from ganops.data.own_images import (
    Direction,
    Role,
    collect_domains,
    collect_halves,
    collect_pairs,
    collect_single,
)
from ganops.data.raw_dataset import RawDataset, RawDomains
from ganops.data.rejection import printable
from ganops.data.sides import Sides, read_sides
from ganops.data.sources.source import SOURCES, Source, SourceContext
from ganops.data.spec import IMAGE, SOURCE
from ganops.errors import DataError, SettingsError

OF_SOURCES = ("direction", "source_size", "source_channels", "source_labels")  # options that mean nothing without pairs


@SOURCES.add("images")
class Images(Source):
    """Every usable image below `data.path`, each split in an order that depends on the files' contents alone.

    layout: single images; pairs of files with the same name in the folders A and B; pairs side by side in one file; or
        two domains A and B without pairs. auto: pairs or domains where there are such folders, by the names in them,
        else single. Side-by-side pictures have to be asked for: a picture may be wide for other reasons.
    direction: which of A (left) and B (right) is the source of pairs.
    source_size, source_channels: as data.image_size and data.channels, for sources; where these are auto they follow
        data.image_size and data.channels if those are numbers, else the sources' own pictures.
    white: the value of 16-bit pictures that is white, such as 4095 for 12 bits in a file of 16; null: 65535, and data
        that are nearly black by that are refused.
    image_labels, source_labels: the classes, for a side that consists of label maps; null: what a file labels.yaml in
        its folder A or B says, if there is one.
    """

    layout: Literal["auto", "single", "pairs", "side-by-side", "domains"] = "auto"
    direction: Direction = "AtoB"
    source_size: Annotated[int, Bounded(ge=8, le=1024)] | Literal["auto"] = "auto"
    source_channels: Literal[1, 3, "auto"] = "auto"
    white: Annotated[int, Bounded(ge=255, le=65535)] | None = None
    image_labels: LabelTable | None = None
    source_labels: LabelTable | None = None

    @property
    def reads_path(self) -> bool:
        """It does."""
        return True

    def collect(self, context: SourceContext) -> RawDataset | RawDomains:
        """Raises DataError where there is nothing to read, or where too many of the files are damaged."""
        if context.params.path is None:
            raise SettingsError(
                "data.path is missing",
                code="missing-key",
                expected="a folder or a zip file, because data.source is 'images'",
                action="set data.path",
            )
        path = context.params.path.expanduser()
        files, origin = open_files(path), printable(path.name)
        listing = files.scan()
        if self.layout == "side-by-side":
            return collect_halves(files, listing, self._roles(context), self.direction, origin)
        sides = None if self.layout == "single" else self._sides(listing, path)
        if sides is None:
            self._refuse_idle("single images", *OF_SOURCES)
            return collect_single(files, listing, Role(IMAGE, context, self.image_labels, self.white), origin)
        (a, of_a), (b, of_b) = take_table(files, sides.a), take_table(files, sides.b)
        sides = replace(sides, a=a, b=b)
        if self.layout == "pairs" or (self.layout == "auto" and sides.are_pairs):
            tables = (of_b, of_a) if self.direction == "AtoB" else (of_a, of_b)
            return collect_pairs(files, listing, sides, self._roles(context, *tables), self.direction, origin)
        self._refuse_idle("two domains without pairs", *OF_SOURCES, "image_labels")
        if of_a is not None or of_b is not None:
            raise _idle(f"the file {FILE}", "two domains without pairs")
        return collect_domains(files, listing, sides, Role(IMAGE, context, white=self.white), origin)

    def _refuse_idle(self, found: str, *options: str) -> None:
        """Raise SettingsError where one of these options is set, though the data that were found do not use it."""
        for name in options:
            if getattr(self, name) != type(self).model_fields[name].default:
                raise _idle(f"data.options.{name}", found)

    def _roles(
        self, context: SourceContext, image_table: LabelTable | None = None, source_table: LabelTable | None = None
    ) -> tuple[Role, Role]:
        params = context.params
        own = {
            "image_size": params.image_size if self.source_size == "auto" else self.source_size,
            "channels": params.channels if self.source_channels == "auto" else self.source_channels,
        }
        of_source = replace(context, params=params.model_copy(update=own))
        image = Role(IMAGE, context, self.image_labels or image_table, self.white)
        return image, Role(SOURCE, of_source, self.source_labels or source_table, self.white)

    def _sides(self, listing: Listing, path: Path) -> Sides | None:
        sides = read_sides(listing.candidates)
        if sides is None and self.layout != "auto":
            raise DataError(
                f"{path} has no folders A and B that hold most of the images",
                code="no-sides",
                expected="A/ and B/, trainA/ and trainB/, or train/A/ and train/B/",
                action="rename the folders, or set data.options.layout to single or side-by-side",
            )
        return sides


def _idle(what: str, found: str) -> SettingsError:
    return SettingsError(
        f"{what} has no effect on {found}",
        code="idle-option",
        expected="pairs: pictures of the same name in the folders A and B, or layout: side-by-side",
        found=found,
        action=f"remove {what}, or name folders and files as docs/data.md says",
    )


def open_files(path: Path) -> Files:
    """The folder or zip file at `path`; raises DataError when it is neither."""
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise DataError(
            f"{path} does not exist",
            code="path-missing",
            expected="a folder or a zip file",
            action="correct data.path in params.yaml",
        )
    if zipfile.is_zipfile(path):
        return Archive(path)
    if path.suffix.casefold() == ".zip":
        raise DataError(
            f"{path} is a damaged zip file",
            code="archive-damaged",
            found="it lacks the table of contents that ends a zip file",
            action="copy or download it again; usually the download was interrupted",
        )
    raise DataError(
        f"{path} is neither a folder nor a zip file",
        code="path-unsupported",
        action="unpack it, or give the folder that contains it",
    )
