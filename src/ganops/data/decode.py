"""The content of one image file, of any common kind, as pixels; or the reason why it cannot be used.

Nothing here may import torch: the processes that decode images would spend seconds on it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from ganops.data.image_format import ImageFormat, Pixels, centre_square, to_format
from ganops.data.label_format import AnyFormat, LabelFormat, to_labels
from ganops.data.rejection import Reason, RefusedError
from ganops.data.sixteen_bits import (
    FULL,
    brightest,
    brightest_colour,
    is_deep_colour,
    is_wide,
    refuse_dim,
    to_8_bits,
)

KINDS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "PPM")
with suppress(ImportError):  # the extra `heif`: Pillow itself does not read the photos of iPhones
    from pillow_heif import register_heif_opener

    register_heif_opener()
    KINDS += ("HEIF",)
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif"),
    *(".tif", ".tiff", ".avif", ".heic", ".heif", ".ppm", ".pgm", ".pbm", ".pnm"),
)
MAX_BYTES = 128 * 2**20
MAX_PIXELS = 89_478_485  # where Pillow begins to warn of decompression bombs: a quarter of a GiB of RGB
DRAFT_MARGIN = 2  # a JPEG is decoded at no less than twice the packed size, so that Lanczos decides the result
GREY_TOLERANCE = 8  # 8-bit steps between the channels of an image that counts as grey: lossy kinds move them a little
INSPECTED_SIZE = 64  # pixels

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_GREY_MODES = ("1", "L", "LA", "La", "I", "F")
ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Inspection:
    """What can be said of an image before its format is known; grey: it shows no colour, whatever its channels."""

    width: int
    height: int
    grey: bool


def decode(content: bytes, form: AnyFormat) -> Pixels:
    """Pixels (C, H, W) uint8 of an image file: first frame, upright, centre square, Lanczos.

    Transparent parts are laid over white; 16-bit grey is scaled by the white of the format. Label maps are read as
    `to_labels` says. Raises RefusedError.
    """
    with opened(content) as image:
        if isinstance(form, LabelFormat):
            image.load()
            return to_labels(upright(centre_square(image), orientation(image)), form)
        image.draft(None, (DRAFT_MARGIN * form.size, DRAFT_MARGIN * form.size))
        return to_format(upright(centre_square(opaque(image, form.white)), orientation(image)), form)


def decode_halves(content: bytes, left: AnyFormat, right: AnyFormat) -> tuple[Pixels, Pixels]:
    """As `decode`, for the left and the right half of a picture; of an odd width the middle column is left out.

    Raises RefusedError for a picture that is not wider than high, too.
    """
    with opened(content) as image:
        pictures = [upright(_loaded(image, form), orientation(image)) for form in (left, right)]
        picture = pictures[0]
        if picture.width <= picture.height:
            raise RefusedError(Reason.UNMATCHED, f"{picture.width} x {picture.height} pixels are not side by side")
        half = picture.width // 2
        boxes = ((0, 0, half, picture.height), (picture.width - half, 0, picture.width, picture.height))
        sides = [centre_square(each.crop(box)) for each, box in zip(pictures, boxes, strict=True)]
        first, second = (
            to_labels(side, form) if isinstance(form, LabelFormat) else to_format(side, form)
            for side, form in zip(sides, (left, right), strict=True)
        )
        return first, second


def read_picture(content: bytes) -> Image.Image:
    """A whole image file in its own size, as L or RGB: first frame, upright, over white. Raises RefusedError."""
    with opened(content) as image:
        return upright(opaque(image), orientation(image)).copy()


def inspect(content: bytes) -> Inspection:
    """Size and colour of an image file; it is decoded only where its header leaves open whether it is grey.

    Raises RefusedError.
    """
    with opened(content) as image:
        width, height = image.size
        grey = image.mode in _GREY_MODES or is_wide(image)
        if not grey:
            image.draft(None, (INSPECTED_SIZE, INSPECTED_SIZE))
            small = to_format(opaque(image, FULL), ImageFormat(INSPECTED_SIZE, 3)).astype(np.int16)
            grey = int((small.max(axis=0) - small.min(axis=0)).max()) <= GREY_TOLERANCE
        return Inspection(width, height, grey)


def peak(content: bytes) -> int | None:
    """The largest value of an image file of 16 bits, see `brightest`. Raises RefusedError."""
    with opened(content) as image:
        return brightest(image)


@contextmanager
def opened(content: bytes | BinaryIO, most_pixels: int = MAX_PIXELS) -> Generator[Image.Image]:
    """The image with its header read; whatever fails inside of the block becomes a RefusedError.

    content: a file, or all that is in it. most_pixels: an image of more is refused before it is decoded; Pillow itself
    refuses twice MAX_PIXELS.
    """
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    with warnings.catch_warnings():
        # Damaged metadata make Pillow warn; what counts here is whether the pixels can be read.
        warnings.simplefilter("ignore")
        try:
            with Image.open(file, formats=KINDS) as image:
                if image.width * image.height > most_pixels:
                    raise RefusedError(
                        Reason.TOO_LARGE, f"{image.width:,} x {image.height:,} pixels, at most {most_pixels:,} in all"
                    )
                yield image
        except RefusedError:
            raise
        except UnidentifiedImageError:
            file.seek(0)
            raise _unidentified(file.read(12)) from None
        except (Image.DecompressionBombError, MemoryError):
            raise RefusedError(Reason.TOO_LARGE, f"more than {most_pixels:,} pixels") from None
        except Exception as error:
            # Decoders of damaged files raise nearly anything: OSError, SyntaxError, struct.error, IndexError ...
            raise RefusedError(Reason.DAMAGED, str(error)) from error


def opaque(image: Image.Image, white: int | None = None) -> Image.Image:
    """An opened image of any of Pillow's modes, loaded, as L or RGB, over white where it is transparent.

    white: of 16-bit grey, see `to_8_bits`.
    Raises RefusedError for colour of 16 bits with another white than the file's range: Pillow reads 8 bits of it.
    """
    deep = is_deep_colour(image)
    if deep and white is None:
        refuse_dim(brightest_colour(image))
    elif deep and white != FULL:
        raise RefusedError(Reason.UNREADABLE, "colour of 16 bits: convert it to 8 bits, or remove data.options.white")
    image.load()
    if is_wide(image):
        return to_8_bits(image, white)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _loaded(image: Image.Image, form: AnyFormat) -> Image.Image:
    """An opened image, loaded: as it is for a label map, else opaque."""
    if isinstance(form, ImageFormat):
        return opaque(image, form.white)
    image.load()
    return image


def upright(image: Image.Image, tag: int) -> Image.Image:
    """The image turned as its EXIF orientation says, see `orientation`."""
    turn = _UPRIGHT.get(tag)
    return image if turn is None else image.transpose(turn)


def orientation(image: Image.Image) -> int:
    """The EXIF orientation of a loaded image; kinds that Pillow turns by itself no longer have one by then."""
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:
        return 1  # damaged EXIF says nothing of the pixels, which were read


def _unidentified(content: bytes) -> RefusedError:
    """Why Pillow does not know what a file is that begins like this."""
    if not content:
        return RefusedError(Reason.EMPTY)
    box, brand = content[4:8], content[8:12]
    if box == b"ftyp" and brand in _HEIF_BRANDS and "HEIF" not in KINDS:
        return RefusedError(Reason.UNREADABLE, "HEIC needs the package pillow-heif: pip install 'ganops[heif]'")
    webp, avif = content[:4] == b"RIFF" and brand == b"WEBP", box == b"ftyp" and brand == b"avif"
    if content.startswith(_SIGNATURES) or webp or avif:
        return RefusedError(Reason.DAMAGED, "its header is damaged, or of a variant that Pillow does not read")
    return RefusedError(Reason.NOT_AN_IMAGE)
