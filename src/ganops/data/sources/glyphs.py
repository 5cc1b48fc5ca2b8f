"""Characters of the fonts that matplotlib ships: single pictures with classes, or pairs of the same character.

Available without a network. The FreeType that Pillow brings along draws the outlines: another version of it may draw
other pixels, and the digest says so.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, model_validator
from pydantic import Field as Bounded

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.glyphs import (
    FONTS,
    Alphabet,
    Scale,
    characters,
    covered,
    draw,
    scale_of,
    shape_hash,
    to_columns,
    variants,
)
from ganops.data.image_format import ImageFormat, Pixels
from ganops.data.packed import RowIndices, Split
from ganops.data.raw_dataset import RawDataset, RawDomains
from ganops.data.sources.source import SOURCES, Source, SourceContext
from ganops.data.spec import CHARACTER, DOMAINS, IMAGE, LABEL, SOURCE
from ganops.data.splitting import Hashes, hash_order, split_by_hash
from ganops.settings import nearest

NATURAL = ImageFormat(32, 1)
LEAST_PICTURES = 10  # characters of which the fonts have fewer different pictures are left out as classes
LOOKALIKE_SIZE = 64  # pixels at which two characters are compared, so that the split is the same at every size
ORIGIN = "matplotlib's fonts"


def _known_font(name: str) -> str:
    if name not in FONTS:
        raise ValueError(f"unknown font '{name}': {nearest(name, FONTS)}")
    return name


Font = Annotated[str, AfterValidator(_known_font)]


@SOURCES.add("glyphs")
class Glyphs(Source):
    """Each character in each font and style that has it; the class of a picture is its character.

    A picture that another character or font gives as well, pixel for pixel, is used once: for the character that stands
    first in `alphabets`' own order. So the Greek capital alpha, which looks like A, does not become a class.
    """

    alphabets: tuple[Alphabet, ...] = Bounded(
        default=("digits", "latin", "greek", "cyrillic", "accented"), min_length=1
    )

    def collect(self, context: SourceContext) -> RawDataset:
        """All of them, split by picture: a test picture shows a known character in a font that was not seen for it."""
        form = context.image_format(NATURAL)
        taken: set[bytes] = set()
        classes, pictures, names = list[str](), list[Pixels](), list[str]()
        for character in characters(self.alphabets):
            found = _different(character, form.size, scale_of(self.alphabets), taken)
            if len(found) >= LEAST_PICTURES:
                taken.update(shape_hash(picture) for _, picture in found)
                classes += [character] * len(found)
                names += [name for name, _ in found]
                pictures += [picture for _, picture in found]
        known = tuple(dict.fromkeys(classes))
        index = {character: label for label, character in enumerate(known)}
        labels = np.array([index[character] for character in classes], dtype=np.int64)
        return RawDataset(
            fields={
                IMAGE: ImageField(channels=form.channels, size=form.size),
                LABEL: CategoryField(classes=known),
            },
            columns={IMAGE: to_columns(pictures, form), LABEL: labels},
            rows=split_by_hash(_hashes(names), context.params.test_share, labels),
            split_by="content",
            origin=ORIGIN,
        )


class TwoFonts(Source):
    """The same character in two fonts: `source` in the one, `image` in the other, and which character it is.

    The test split holds characters of which the train split has neither a variant with other marks (A, Á, Ă) nor a
    look-alike of another alphabet. Of characters with equal sources, pixel for pixel, the first is used, so that each
    source has one true target.
    """

    alphabets: tuple[Alphabet, ...] = Bounded(
        default=("digits", "latin", "greek", "cyrillic", "accented", "more"), min_length=1
    )
    source_font: Font = "DejaVuSans"
    target_font: Font = "DejaVuSerif-BoldItalic"

    @model_validator(mode="after")
    def _two_fonts(self) -> TwoFonts:
        if self.source_font == self.target_font:
            raise ValueError("source_font and target_font: two different fonts")
        return self

    def pairs(self, context: SourceContext) -> RawDataset:
        """One row for each character that both fonts have."""
        form = context.image_format(NATURAL)
        pairs: dict[bytes, tuple[str, Pixels, Pixels]] = {}
        for character in characters(self.alphabets):
            source, target = self._drawn(character, form.size)
            if source is not None and target is not None:
                pairs.setdefault(shape_hash(source), (character, source, target))
        known = tuple(character for character, _, _ in pairs.values())
        return RawDataset(
            fields={
                IMAGE: ImageField(channels=form.channels, size=form.size),
                SOURCE: ImageField(channels=form.channels, size=form.size),
                CHARACTER: CategoryField(classes=known),
            },
            columns={
                IMAGE: to_columns([target for _, _, target in pairs.values()], form),
                SOURCE: to_columns([source for _, source, _ in pairs.values()], form),
                CHARACTER: np.arange(len(known)),
            },
            rows=_split_groups(self._groups(known), known, context.params.test_share),
            split_by="content",
            origin=f"{ORIGIN}: {self.source_font} to {self.target_font}",
        )

    def _drawn(self, character: str, size: int) -> tuple[Pixels | None, Pixels | None]:
        scale = scale_of(self.alphabets)
        return (
            draw(self.source_font, character, size, scale) if character in covered(self.source_font) else None,
            draw(self.target_font, character, size, scale) if character in covered(self.target_font) else None,
        )

    def _groups(self, known: Sequence[str]) -> list[str]:
        """For each character, one that stands for all that are its variants or look-alikes in one of the two fonts."""
        leader: dict[str | bytes, str] = {}
        follows = {character: character for character in known}

        def first_of(character: str) -> str:
            while follows[character] != character:
                character = follows[character]
            return character

        for character in known:
            shapes: list[str | bytes] = [
                shape_hash(each) for each in self._drawn(character, LOOKALIKE_SIZE) if each is not None
            ]
            for trait in [*_base_letters(character), *shapes]:
                other = first_of(leader.setdefault(trait, character))
                own = first_of(character)
                follows[max(own, other)] = min(own, other)
        return [first_of(character) for character in known]


@SOURCES.add("glyphs-pairs")
class GlyphsPairs(TwoFonts):
    """Pairs of the same character in two fonts."""

    def collect(self, context: SourceContext) -> RawDataset:
        """One row for each character that both fonts have."""
        return self.pairs(context)


@SOURCES.add("glyphs-domains")
class GlyphsDomains(TwoFonts):
    """The two fonts as domains A and B without pairs: every second character of the train split is in each.

    Both test splits hold all test characters, so that what a translation should be is known there.
    """

    def collect(self, context: SourceContext) -> RawDomains:
        """Domains whose column `character` says which test pictures are partners."""
        pairs = self.pairs(context)
        train, test = pairs.rows["train"], pairs.rows["test"]
        sides = {DOMAINS[0]: (SOURCE, train[::2]), DOMAINS[1]: (IMAGE, train[1::2])}
        return RawDomains.join(
            {
                domain: replace(
                    pairs,
                    fields={name: pairs.fields[name] for name in (column, CHARACTER)},
                    columns={name: pairs.columns[name] for name in (column, CHARACTER)},
                    rows={"train": rows, "test": test},
                )
                for domain, (column, rows) in sides.items()
            },
            pairs.origin,
        )


def _different(character: str, size: int, scale: Scale, taken: set[bytes]) -> list[tuple[str, Pixels]]:
    """Names and pictures of a character in all fonts and styles, without those that were taken or that are equal."""
    found: dict[bytes, tuple[str, Pixels]] = {}
    for font in FONTS:
        for code in variants(font, character):
            picture = draw(font, code, size, scale)
            if picture is not None and shape_hash(picture) not in taken:
                found.setdefault(shape_hash(picture), (f"{font} {ord(code):x}", picture))
    return list(found.values())


def _base_letters(character: str) -> tuple[str, str]:
    """The letter without its marks, by Unicode's decomposition and by its name; each with the case it has."""
    name = unicodedata.name(character)
    return unicodedata.normalize("NFD", character)[0], name.split(" WITH ")[0]


def _split_groups(groups: Sequence[str], known: Sequence[str], test_share: float) -> dict[Split, RowIndices]:
    """Whole groups, in the order of their hashes, go to the test while they fit into its share."""
    room = test_share * len(groups)
    members = {group: groups.count(group) for group in groups}
    distinct = sorted(members)
    in_test: set[str] = set()
    for position in hash_order(_hashes(distinct)):
        group = distinct[position]
        if members[group] <= room:
            room -= members[group]
            in_test.add(group)
    order = hash_order(_hashes(known))
    is_test = np.array([groups[row] in in_test for row in order])
    return {"train": order[~is_test], "test": order[is_test]}


def _hashes(names: Sequence[str]) -> Hashes:
    digests = b"".join(hashlib.sha256(name.encode()).digest() for name in names)
    return np.frombuffer(digests, dtype=np.uint8).reshape(len(names), 32)
