"""Your own images: single ones, pairs of two files or of two halves, and two domains without pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ganops.data.assembly import RowSet, assemble
from ganops.data.decoders import Halves, Whole
from ganops.data.decoding import DecodedFiles, decode_files, find_format
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, LabelTable
from ganops.data.image_format import ImageFormat
from ganops.data.label_format import AnyFormat
from ganops.data.listing import Candidate, Files, Listing
from ganops.data.raw_dataset import RawDataset, RawDomains
from ganops.data.rejection import Reason, Rejection
from ganops.data.sides import Sides, match
from ganops.data.sixteen_bits import FULL
from ganops.data.sources.source import SourceContext
from ganops.data.spec import IMAGE, SOURCE

Direction = Literal["AtoB", "BtoA"]


@dataclass(frozen=True)
class Role:
    """How one side of pairs is read.

    context: with its size and channels. labels: where it consists of label maps. white: of 16-bit files.
    """

    column: str
    context: SourceContext
    labels: LabelTable | None = None
    white: int | None = None

    def format(self, files: Files, candidates: list[Candidate], *, halves: bool = False) -> AnyFormat:
        """The format of its pictures."""
        context = self.context
        if self.labels is not None and context.params.channels == "auto":
            context = replace(context, params=context.params.model_copy(update={"channels": 1}))
        white = self.white if self.labels is None else FULL  # indices of classes are small numbers
        form = find_format(files, candidates, context, halves=halves, white=white)
        return form if self.labels is None else self.labels.format(form.size)

    def field(self, form: AnyFormat) -> Field:
        """What its column is."""
        if isinstance(form, ImageFormat):
            return ImageField(channels=form.channels, size=form.size)
        assert self.labels is not None
        return LabelMapField(size=form.size, labels=self.labels)


def collect_single(files: Files, listing: Listing, role: Role, origin: str) -> RawDataset:
    """Each file is one row."""
    candidates, context = sorted(listing.candidates, key=lambda each: each.parts), role.context
    form = role.format(files, candidates)
    decoded = decode_files(files, candidates, Whole(form), context)
    rows = RowSet(
        candidates=candidates,
        fields={IMAGE: role.field(form)},
        columns={IMAGE: decoded.columns[0]},
        hashes=decoded.file_hashes,
        pixel_hashes={IMAGE: decoded.pixel_hashes[0]},
        unusable=frozenset(decoded.rejected),
        rejections=[*listing.rejections, *decoded.rejected.values()],
    )
    return assemble(rows, context, origin)


def collect_halves(
    files: Files, listing: Listing, roles: tuple[Role, Role], direction: Direction, origin: str
) -> RawDataset:
    """Each file is one pair, side by side. roles: of the image, of the source."""
    candidates = sorted(listing.candidates, key=lambda each: each.parts)
    forms = [role.format(files, candidates, halves=True) for role in roles]
    left, right = (1, 0) if direction == "AtoB" else (0, 1)
    decoded = decode_files(files, candidates, Halves(forms[left], forms[right]), roles[0].context)
    halves = {roles[left].column: 0, roles[right].column: 1}
    rows = RowSet(
        candidates=candidates,
        fields={role.column: role.field(form) for role, form in zip(roles, forms, strict=True)},
        columns={name: decoded.columns[half] for name, half in halves.items()},
        hashes=decoded.file_hashes,
        pixel_hashes={name: decoded.pixel_hashes[half] for name, half in halves.items()},
        unusable=frozenset(decoded.rejected),
        rejections=[*listing.rejections, *decoded.rejected.values()],
    )
    return assemble(rows, roles[0].context, origin)


def collect_pairs(
    files: Files, listing: Listing, sides: Sides, roles: tuple[Role, Role], direction: Direction, origin: str
) -> RawDataset:
    """Two files of the same name are one row. roles: of the image, of the source."""
    pairs = match(sides)
    of_a, of_b = [a for a, _ in pairs.rows], [b for _, b in pairs.rows]
    images, sources = (of_b, of_a) if direction == "AtoB" else (of_a, of_b)
    forms = [role.format(files, each) for role, each in zip(roles, (images, sources), strict=True)]
    image, source = (
        decode_files(files, each, Whole(form), role.context, f"{role.column}s")
        for role, form, each in zip(roles, forms, (images, sources), strict=True)
    )
    lonely = [*_lonely(image, sources), *_lonely(source, images)]
    rows = RowSet(
        candidates=sources,
        fields={role.column: role.field(form) for role, form in zip(roles, forms, strict=True)},
        columns={IMAGE: image.columns[0], SOURCE: source.columns[0]},
        hashes=source.file_hashes,
        pixel_hashes={IMAGE: image.pixel_hashes[0], SOURCE: source.pixel_hashes[0]},
        unusable=frozenset(image.rejected.keys() | source.rejected.keys()),
        rejections=[
            *(*listing.rejections, *sides.outside, *pairs.rejections),
            *(*image.rejected.values(), *source.rejected.values(), *lonely),
        ],
    )
    return assemble(rows, roles[0].context, origin)


def collect_domains(files: Files, listing: Listing, sides: Sides, role: Role, origin: str) -> RawDomains:
    """Each side is a data set of its own, with its own size, splits and classes."""
    domains = {
        name: collect_single(files, Listing(list(side)), role, f"{origin}/{name}")
        for name, side in (("A", sides.a), ("B", sides.b))
    }
    return RawDomains.join(domains, origin, (*listing.rejections, *sides.outside))


def _lonely(decoded: DecodedFiles, partners: list[Candidate]) -> list[Rejection]:
    """A rejection for each usable file whose partner was rejected."""
    return [
        Rejection(partners[row].name, Reason.UNMATCHED, f"its partner {rejection.name} is not used")
        for row, rejection in decoded.rejected.items()
    ]
