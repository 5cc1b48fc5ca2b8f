"""The bytes of one image file, of any common kind, as pixels in the packed form, or the reason why not."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

from ganops.data.image_format import ImageFormat, Pixels, centre_square, to_format
from ganops.data.rejection import Reason, RefusedError

KINDS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif")
MAX_BYTES = 128 * 2**20
MAX_PIXELS = 89_478_485  # where Pillow begins to warn of decompression bombs: a quarter of a GiB of RGB
DRAFT_MARGIN = 2  # a JPEG is decoded at no less than twice the packed size, so that Lanczos still has the last word

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM")
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(content: bytes, form: ImageFormat) -> Pixels:
    """Pixels (C, H, W) uint8 of an image file's `content`: first frame, upright, centre square, Lanczos.

    Transparent parts are laid over white; 16-bit grey is scaled, not clipped. Raises RefusedError.
    """
    if not content:
        raise RefusedError(Reason.EMPTY)
    with warnings.catch_warnings():
        # Damaged metadata make Pillow warn; what counts here is whether the pixels can be read.
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=KINDS) as image:
                return to_format(_upright_square(image, form), form)
        except RefusedError:
            raise
        except UnidentifiedImageError:
            if _looks_like_an_image(content):
                raise RefusedError(Reason.DAMAGED, "its header cannot be read") from None
            raise RefusedError(Reason.NOT_AN_IMAGE) from None
        except (Image.DecompressionBombError, MemoryError):
            raise RefusedError(Reason.TOO_LARGE, f"more than {MAX_PIXELS:,} pixels") from None
        except Exception as error:
            # Decoders of damaged files raise nearly anything: OSError, SyntaxError, struct.error, IndexError ...
            raise RefusedError(Reason.DAMAGED, str(error)) from error


def _upright_square(image: Image.Image, form: ImageFormat) -> Image.Image:
    """The centre square as L or RGB, turned as the camera's EXIF orientation says."""
    if image.width * image.height > MAX_PIXELS:
        raise RefusedError(
            Reason.TOO_LARGE, f"{image.width:,} x {image.height:,} pixels, at most {MAX_PIXELS:,} in all"
        )
    image.draft(None, (DRAFT_MARGIN * form.size, DRAFT_MARGIN * form.size))
    image.load()
    square = _opaque(centre_square(image))
    turn = _UPRIGHT.get(_orientation(image))
    return square if turn is None else square.transpose(turn)


def _opaque(image: Image.Image) -> Image.Image:
    """Any of Pillow's modes as L or RGB, over white where it is transparent."""
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    """0..65535 to 0..255, rounded; the one transparent value a PNG may name becomes white."""
    values = np.array(image, dtype=np.uint32)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        values[values == transparent] = 65535
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        return 1  # damaged EXIF says nothing of the pixels, which are there already


def _looks_like_an_image(content: bytes) -> bool:
    return content.startswith(_SIGNATURES) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")
