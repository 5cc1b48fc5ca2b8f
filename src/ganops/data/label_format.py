"""The format in which label maps are packed: a square of class indices, read from indices or from named colours.

Nothing here may import torch: the processes that decode images would spend seconds on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ganops.data.image_format import ImageFormat, Pixels
from ganops.data.rejection import Reason, RefusedError

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class LabelFormat:
    """size: height and width in pixels. classes: how many there are.

    colours: the colour of each class, in their order; empty: a pixel's palette index or grey value is its class.
    """

    size: int
    classes: int
    colours: tuple[Colour, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(1, H, W) of one packed label map."""
        return (1, self.size, self.size)


AnyFormat = ImageFormat | LabelFormat


def to_labels(image: Image.Image, form: LabelFormat) -> Pixels:
    """A square picture as (1, size, size) class indices: nearest colour of the table, nearest pixel when resized.

    Raises RefusedError where an index is that of no class, and without a table for pictures that hold colours.
    """
    if image.size != (form.size, form.size):
        image = image.resize((form.size, form.size), Image.Resampling.NEAREST)
    return class_indices(image, form)


def class_indices(image: Image.Image, form: LabelFormat) -> Pixels:
    """As `to_labels`, for a picture of any size that keeps it: (1, H, W)."""
    if form.colours:
        pixels = np.asarray(image.convert("RGB"), dtype=np.int32)
        table = np.array(form.colours, dtype=np.int32)
        distances = ((pixels[:, :, None] - table) ** 2).sum(axis=3)
        nearest: Pixels = distances.argmin(axis=2).astype(np.uint8)
        return nearest[None]
    if image.mode not in ("P", "L", "1") and not image.mode.startswith("I"):
        raise RefusedError(Reason.BAD_LABELS, "it holds colours, not indices of classes")
    labels = np.asarray(image).astype(np.int64)
    if labels.min() < 0 or labels.max() >= form.classes:
        raise RefusedError(Reason.BAD_LABELS, f"index {labels.max()} of {form.classes} classes")
    return labels.astype(np.uint8)[None]
