"""Pictures of 16 bits per channel: what counts as white in them, and whether they use their range at all.

Scanners, microscopes and medical devices put 10 to 14 bits into files of 16. A PNG cannot say so, and scaled by the
range of the file such pictures are nearly black.

Nothing here may import torch: the processes that decode images would spend seconds on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from ganops.data.rejection import Reason, RefusedError
from ganops.errors import DataError

FULL = 65535
FEW = 0.05  # of all pictures: so many may be dark
DIM = FULL // 4  # pictures without a brighter pixel use 14 bits at most
BITS_TAG, PHOTOMETRIC_TAG, WHITE_IS_ZERO = 0x0102, 0x0106, 0  # TIFF 6.0, section 8


def is_wide(image: Image.Image) -> bool:
    """Whether a picture is grey of more than 8 bits."""
    return image.mode.startswith("I") or image.mode == "F"


def is_deep_colour(image: Image.Image) -> bool:
    """Whether the file of a picture that is not loaded yet has 16 bits for each of several channels."""
    if is_wide(image) or not isinstance(image, ImageFile):
        return False
    return any(";16" in str(tile[3]) for tile in image.tile)


def brightest(image: Image.Image) -> int | None:
    """The largest value of a picture that is not loaded yet, 0..65535; None where white is known: 8 bits, fractions."""
    if is_deep_colour(image):
        return brightest_colour(image)
    if not is_wide(image) or image.mode == "F" or _own_white(image) is not None:
        return None
    return int(np.asarray(image).max())


def brightest_colour(image: Image.Image) -> int:
    """The largest value of any channel, 0..65535, as far as Pillow reads it: in steps of 257."""
    return int(np.asarray(image.convert("RGB")).max()) * 257


def check_range(found: Sequence[int], count: int) -> None:
    """Raise DataError where 16-bit pictures are nearly black, and more than a few of `count` pictures.

    found: the brightest value of each 16-bit picture among them.
    """
    most = max(found, default=0)
    if 0 < most <= DIM and len(found) > FEW * count:
        raise DataError(
            "the 16-bit pictures use a small part of their range, and would be nearly black",
            code="dim-16-bit",
            expected=f"values up to {FULL}",
            found=f"at most {most} in {len(found)} pictures",
            action=f"set data.options.white: {_likely_white(most)}, the value that is white, or {FULL} where they are "
            "to be that dark; convert pictures in colour to 8 bits",
        )


def refuse_dim(most: int) -> None:
    """Raise RefusedError where the brightest value of a single 16-bit picture says that it would be nearly black."""
    if 0 < most <= DIM:
        raise RefusedError(Reason.UNREADABLE, f"16 bits with values up to {most} only: convert it to 8 bits")


def to_8_bits(image: Image.Image, white: int | None) -> Image.Image:
    """Grey of 16 bits to 8, rounded; the one transparent value that a PNG may name becomes white.

    white: the value that becomes 255, where the file does not say so; None: 65535, and RefusedError is raised for a
    picture that is nearly black by that. A TIFF whose 0 is white, as of X-rays, is inverted: Pillow does so for 8 bits
    only. 32-bit numbers are used where they are 16-bit values, and floating-point numbers where they lie within 0 to 1.
    """
    values: NDArray[np.float64] = np.array(image, dtype=np.float64)
    if image.mode == "F":
        values = values * FULL
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        values[values == transparent] = FULL
    if not (values.min() >= 0 and values.max() <= FULL):  # NaN fails as well
        raise RefusedError(Reason.UNREADABLE, "pixels of 32 bits whose range is unknown")
    own = FULL if image.mode == "F" else _own_white(image)
    if own is None and white is None:
        refuse_dim(int(values.max()))
    top = own or white or FULL
    values = np.minimum(values, top)
    if isinstance(image, TiffImageFile) and image.tag_v2.get(PHOTOMETRIC_TAG) == WHITE_IS_ZERO:
        values = top - values
    return Image.fromarray(((values * 255 + top // 2) // top).astype(np.uint8))


def _own_white(image: Image.Image) -> int | None:
    """The value that the file itself calls white: of a TIFF of 12 bits, and of PGM, which Pillow scales."""
    if image.format == "PPM":
        return FULL
    bits = image.tag_v2.get(BITS_TAG, (16,))[0] if isinstance(image, TiffImageFile) else 16
    return 2**bits - 1 if bits < 16 else None


def _likely_white(most: int) -> int:
    """White of the fewest bits, of 8, 10, 12 and 14, that reach `most`."""
    return next(2**bits - 1 for bits in (8, 10, 12, 14) if most < 2**bits)
