"""Generated samples next to the training images nearest to them: does the generator copy?"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganops.data.fields.captions import INK, LINE_PIXELS, font
from ganops.data.fields.pictures import image_grid
from ganops.errors import EvaluationError

PAIR_GAP = 14
HEADING = ("left: generated", "right: its nearest training image", "number: their distance")


def neighbour_grid(
    samples: Tensor, nearest: Tensor, distances: Tensor | Sequence[float], columns: int = 4, scale: int | None = None
) -> Image.Image:
    """Pairs in rows of `columns`, each with its distance below, in the order given, under a heading.

    samples, nearest: (N, C, H, W) uint8, N >= 1; nearest[i] is the training image nearest to samples[i].
    distances: (N,) in whatever space they were measured.
    Raises EvaluationError when the three do not belong together.
    """
    values = [float(distance) for distance in distances]
    if samples.shape != nearest.shape or len(values) != len(samples):
        raise EvaluationError(
            "samples and their nearest training images do not belong together",
            code="pairs-differ",
            expected="as many nearest images, of the same shape, and distances as samples",
            found=f"samples {tuple(samples.shape)}, nearest {tuple(nearest.shape)}, {len(values)} distances",
        )
    pairs = [image_grid(torch.stack(pair), 2, scale) for pair in zip(samples, nearest, strict=True)]
    columns = min(columns, len(pairs))
    width, height = pairs[0].size
    heading = _wrap(columns * (width + PAIR_GAP))
    top = LINE_PIXELS * len(heading)
    step_x, step_y = width + PAIR_GAP, height + LINE_PIXELS
    canvas = Image.new("RGB", (columns * step_x, top + ceil(len(pairs) / columns) * step_y), "white")
    draw = ImageDraw.Draw(canvas)
    for line, text in enumerate(heading):
        draw.text((PAIR_GAP // 2, LINE_PIXELS * line + LINE_PIXELS // 2), text, fill=INK, font=font(), anchor="lm")
    for index, (pair, distance) in enumerate(zip(pairs, values, strict=True)):
        left, upper = PAIR_GAP // 2 + index % columns * step_x, top + index // columns * step_y
        canvas.paste(pair, (left, upper))
        middle = (left + width // 2, upper + height + LINE_PIXELS // 2 - 2)
        draw.text(middle, f"{distance:#.3g}", fill=INK, font=font(), anchor="mm")
    return canvas


def _wrap(width: int) -> list[str]:
    """The heading on as few lines of at most `width` pixels as its parts allow."""
    lines: list[str] = []
    for part in HEADING:
        longer = f"{lines[-1]},  {part}" if lines else part
        if lines and font().getlength(longer) <= width - PAIR_GAP:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines
