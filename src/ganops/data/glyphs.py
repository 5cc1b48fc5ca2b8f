"""Characters drawn from the fonts that matplotlib ships: DejaVu, STIX and Computer Modern."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganops.data.image_format import ImageFormat, Pixels, to_format

Alphabet = Literal["digits", "latin", "greek", "cyrillic", "accented", "more"]
_RANGES: dict[Alphabet, tuple[tuple[int, int], ...]] = {
    "digits": ((0x30, 0x39),),
    "latin": ((0x41, 0x5A), (0x61, 0x7A)),
    "greek": ((0x391, 0x3C9),),
    "cyrillic": ((0x410, 0x44F), (0x401, 0x401), (0x451, 0x451)),
    "accented": ((0xC0, 0x17F),),
    # Latin Extended-B, phonetic letters, Greek and Cyrillic with marks, Armenian, Georgian, Latin Additional
    "more": ((0x180, 0x2AF), (0x370, 0x390), (0x3CA, 0x58F), (0x10A0, 0x10FF), (0x1E00, 0x1FFF)),
}
_FAMILIES = {
    "DejaVuSans": ("", "-Bold", "-Oblique", "-BoldOblique"),
    "DejaVuSansMono": ("", "-Bold", "-Oblique", "-BoldOblique"),
    "DejaVuSerif": ("", "-Bold", "-Italic", "-BoldItalic"),
    "STIXGeneral": ("", "Bol", "Italic", "BolIta"),
}
_LATIN_ONLY = ("cmr10", "cmb10", "cmti10", "cmss10", "cmtt10")  # what they have at other codes is not what Unicode says
FONTS = (*(family + style for family, styles in _FAMILIES.items() for style in styles), *_LATIN_ONLY)
STYLED_FONT = "STIXGeneral"  # holds Unicode's mathematical alphabets: script, fraktur, double-struck, sans-serif ...
_STYLED = (0x1D400, 0x1D7FF)


@dataclass(frozen=True)
class Scale:
    """em: size of the font as a share of the picture's side. baseline: how far below the top it is, likewise."""

    em: float
    baseline: float


DIGITS, LATIN, ALL = Scale(1.05, 0.88), Scale(0.82, 0.71), Scale(0.72, 0.727)  # as large as fits into the square
DRAWN_SIDE = 128  # pixels: smaller pictures are drawn in a multiple of their size and averaged


def characters(alphabets: Iterable[Alphabet]) -> list[str]:
    """The letters and digits of the alphabets, by alphabet."""
    chosen = set(alphabets)
    codes = [
        code
        for alphabet, ranges in _RANGES.items()
        if alphabet in chosen
        for first, last in ranges
        for code in range(first, last + 1)
    ]
    return [chr(code) for code in codes if unicodedata.category(chr(code)) in ("Lu", "Ll", "Lt", "Lo", "Nd")]


def scale_of(alphabets: Iterable[Alphabet]) -> Scale:
    """One scale for all characters: digits alone are drawn largest, capitals with marks need the most space."""
    chosen = set(alphabets)
    return DIGITS if chosen <= {"digits"} else LATIN if chosen <= {"digits", "latin"} else ALL


@lru_cache
def covered(font: str) -> frozenset[str]:
    """The characters that a font has a shape for."""
    from matplotlib.ft2font import FT2Font

    found = frozenset(chr(code) for code in FT2Font(str(font_path(font))).get_charmap())
    return found & frozenset(characters(["digits", "latin"])) if font in _LATIN_ONLY else found


def variants(font: str, character: str) -> list[str]:
    """The code points under which a font has a character: itself, and its mathematical styles."""
    found = [character] if character in covered(font) else []
    if font == STYLED_FONT:
        found += _styles().get(character, [])
    return found


def draw(font: str, character: str, size: int, scale: Scale = ALL) -> Pixels | None:
    """A character in white on black, (size, size): its ink centred from left to right, on the baseline of all others.

    None where the font draws nothing, or where it does not fit into the square.
    """
    factor = max(1, DRAWN_SIDE // size)
    side = factor * size
    face = _face(font, round(scale.em * side))
    left, top, right, bottom = face.getbbox(character, anchor="ls")
    x, y = (side - (right - left)) / 2 - left, round(scale.baseline * side)
    if right <= left or bottom <= top or right - left > side or y + top < 0 or y + bottom > side:
        return None
    canvas = Image.new("L", (side, side))
    ImageDraw.Draw(canvas).text((round(x), y), character, fill=255, font=face, anchor="ls")
    return np.asarray(canvas.reduce(factor)) if factor > 1 else np.asarray(canvas)


def to_columns(pictures: Sequence[Pixels], form: ImageFormat) -> Pixels:
    """(N, C, size, size) of grey pictures that have the size already."""
    return np.stack([to_format(Image.fromarray(each), form) for each in pictures])


def shape_hash(picture: Pixels) -> bytes:
    """Equal for pictures of equal pixels."""
    return hashlib.sha256(picture.tobytes()).digest()


def font_path(font: str) -> Path:
    """The file of a font."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"


@lru_cache
def _face(font: str, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_path(font)), pixels, layout_engine=ImageFont.Layout.BASIC)


@lru_cache
def _styles() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code in range(_STYLED[0], _STYLED[1] + 1):
        if chr(code) in covered(STYLED_FONT):
            found.setdefault(unicodedata.normalize("NFKC", chr(code)), []).append(chr(code))
    return found
