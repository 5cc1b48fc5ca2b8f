"""The format in which images are packed: a square of a given size with one or three channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class ImageFormat:
    """size: height and width in pixels. channels: 1 (grey) or 3 (RGB).

    white: the value of 16-bit files that becomes 255; None: 65535, and files that are nearly black by that are refused.
    """

    size: int
    channels: Literal[1, 3]
    white: int | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one packed image."""
        return (self.channels, self.size, self.size)

    @property
    def mode(self) -> str:
        """Pillow's name for the channels."""
        return "L" if self.channels == 1 else "RGB"


def centre_square(image: Image.Image) -> Image.Image:
    """The largest square around the centre; whole pixels, so that an image of the right size stays as it is."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image if image.width == image.height else image.crop((left, top, left + side, top + side))


def to_format(image: Image.Image, form: ImageFormat, resample: Image.Resampling = Image.Resampling.LANCZOS) -> Pixels:
    """A square image of mode L or RGB as (C, H, W) uint8. Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R 601-2)."""
    # Pillow copies even where nothing changes, which would be half the time of small images.
    if image.mode != form.mode:
        image = image.convert(form.mode)
    if image.size != (form.size, form.size):
        image = image.resize((form.size, form.size), resample)
    return np.asarray(image, dtype=np.uint8).reshape(form.size, form.size, form.channels).transpose(2, 0, 1)


def to_formats(images: Pixels, form: ImageFormat, resample: Image.Resampling = Image.Resampling.LANCZOS) -> Pixels:
    """Many square images at once: (N, H, W) grey or (N, H, W, 3) RGB to (N, C, size, size)."""
    planar = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    if planar.shape[1:] == form.shape:
        return planar
    packed = np.empty((len(images), *form.shape), dtype=np.uint8)
    for row, pixels in enumerate(images):
        packed[row] = to_format(Image.fromarray(pixels), form, resample)
    return packed
