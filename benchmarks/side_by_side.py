"""A picture of several answers to the same inputs: a row for each, with its name at the left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw
from torch import Tensor

from ganops.data.fields.pictures import image_grid

NAMES = 110  # pixels for the names
GAP = 2


def side_by_side(rows: Mapping[str, Tensor], out: Path, colours: int | None = None) -> None:
    """Write a PNG; rows: (N, 1 or 3, H, W) stored images by name, all of one shape.

    colours: so many different ones at most, for a smaller file; None: as they are.
    """
    strips = {name: image_grid(images, len(images), gap=GAP) for name, images in rows.items()}
    first = next(iter(strips.values()))
    step = first.height - GAP
    whole = Image.new(first.mode, (NAMES + first.width, step * len(strips) + GAP), "white")
    for place, (name, strip) in enumerate(strips.items()):
        whole.paste(strip, (NAMES, place * step))
        ImageDraw.Draw(whole).text((4, place * step + step // 2 - 6), name, fill="black")
    (whole if colours is None else whole.quantize(colours)).save(out, optimize=True)
