"""Grids of images, large enough for a person to judge them."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ganops.atomic import atomic_path
from ganops.errors import EvaluationError

READABLE_PIXELS = 56
BACKGROUND = 255


def image_grid(images: Tensor, columns: int, scale: int | None = None, gap: int = 2) -> Image.Image:
    """Lay images out in rows of `columns`, from left to right and top to bottom, on white.

    images: (N, C, H, W) uint8, C is 1 (the grid is grey) or 3 (RGB).
    columns: images in a row, at least 1; a grid of fewer images is only as wide as they are.
    scale: whole factor by which each pixel is enlarged, nearest neighbour; None: `readable_scale`.
    gap: white pixels between the images and around all of them.

    Image i stands at x = gap + (i mod columns) * (W * scale + gap), y likewise with i div columns.
    Raises EvaluationError for images that are not of this form.
    """
    check_images(images)
    count, channels, height, width = images.shape
    if columns < 1 or gap < 0 or (scale is not None and scale < 1):
        raise EvaluationError(
            "a grid cannot be laid out like this",
            expected="columns >= 1, scale >= 1, gap >= 0",
            found=f"columns {columns}, scale {scale}, gap {gap}",
        )
    columns = min(columns, count)
    rows = ceil(count / columns)
    factor = scale or readable_scale(height, width)
    large = images.cpu().repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
    step_y, step_x = height * factor + gap, width * factor + gap
    canvas = torch.full((channels, gap + rows * step_y, gap + columns * step_x), BACKGROUND, dtype=torch.uint8)
    for index, image in enumerate(large):
        top, left = gap + index // columns * step_y, gap + index % columns * step_x
        canvas[:, top : top + height * factor, left : left + width * factor] = image
    return Image.fromarray((canvas[0] if channels == 1 else canvas.permute(1, 2, 0)).contiguous().numpy())


def readable_scale(height: int, width: int) -> int:
    """The smallest whole factor that makes the shorter side at least 56 pixels: 2 for 28x28, 7 for 8x8, 1 for 64x64."""
    return max(1, ceil(READABLE_PIXELS / min(height, width)))


def check_images(images: Tensor) -> None:
    """Raise EvaluationError unless `images` are uint8 (N, C, H, W), with at least one image of 1 or 3 channels."""
    shape = tuple(images.shape)
    if images.dtype != torch.uint8 or len(shape) != 4 or shape[1] not in (1, 3) or 0 in shape:
        raise EvaluationError(
            "these are no images that can be shown",
            expected="uint8 of shape (N, 1 or 3, H, W), N >= 1",
            found=f"{str(images.dtype).removeprefix('torch.')} of shape {shape}",
        )


def save_png(image: Image.Image, path: Path) -> None:
    """Write `image` to `path` as PNG, atomically."""
    with atomic_path(path) as temporary:
        image.save(temporary, format="PNG")
