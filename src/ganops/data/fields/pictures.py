"""Pictures of columns: grids of images and clouds of points, large enough for a person to judge them."""

from __future__ import annotations

from io import BytesIO
from math import ceil, isqrt, prod
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganops.atomic import atomic_path
from ganops.errors import DataError

READABLE_PIXELS = 56
BACKGROUND = 255
SCATTER_SIDE = 320  # pixels
RADIUS = 2
MOST_PIXELS = 178_956_970  # of a grid, such as 169 images of 1024 pixels; Pillow refuses to open larger pictures
GAP = 2
INK = 0.35  # the share of the remaining white that one point covers: many points on one place are black


def image_grid(images: Tensor, columns: int, scale: int | None = None, gap: int = GAP) -> Image.Image:
    """Lay images out in rows of `columns`, from left to right and top to bottom, on white.

    images: (N, C, H, W) uint8, C is 1 (the grid is grey) or 3 (RGB).
    columns: images in a row, at least 1; a grid of fewer images is only as wide as they are.
    scale: whole factor by which each pixel is enlarged, nearest neighbour; None: `readable_scale`.
    gap: white pixels between the images and around all of them.

    Image i stands at x = gap + (i mod columns) * (W * scale + gap), y likewise with i div columns.
    Raises DataError for images that are not of this form.
    """
    check_images(images)
    count, channels, height, width = images.shape
    if columns < 1 or gap < 0 or (scale is not None and scale < 1):
        raise DataError(
            "a grid cannot be laid out like this",
            code="bad-layout",
            expected="columns >= 1, scale >= 1, gap >= 0",
            found=f"columns {columns}, scale {scale}, gap {gap}",
        )
    columns = min(columns, count)
    factor = scale or readable_scale(height, width)
    across, down = grid_size(count, columns, height * factor, width * factor, gap)
    large = images.cpu().repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
    step_y, step_x = height * factor + gap, width * factor + gap
    canvas = torch.full((channels, down, across), BACKGROUND, dtype=torch.uint8)
    for index, image in enumerate(large):
        top, left = gap + index // columns * step_y, gap + index % columns * step_x
        canvas[:, top : top + height * factor, left : left + width * factor] = image
    return to_pil(canvas)


def grid_size(count: int, columns: int, height: int, width: int, gap: int = GAP) -> tuple[int, int]:
    """Width and height of a grid of `count` images, in pixels. height, width: of an image as it is drawn."""
    columns = min(columns, count)
    return gap + columns * (width + gap), gap + ceil(count / columns) * (height + gap)


def most_in_grid(height: int, width: int) -> int:
    """How many images of this size a square grid may have, so that it has no more than MOST_PIXELS."""
    factor = readable_scale(height, width)
    side_y, side_x = height * factor + GAP, width * factor + GAP
    most = MOST_PIXELS // (side_y * side_x)
    while most > 1 and prod(grid_size(most, square(most), side_y - GAP, side_x - GAP)) > MOST_PIXELS:
        most -= 1
    return max(1, most)


def scatter(points: Tensor) -> Image.Image:
    """The first two coordinates of (N, D) vectors, D at least 2: x to the right, y upwards, both from -1 to 1.

    Points outside of this range are drawn at the edge.
    """
    places = points[:, :2].clamp(-1, 1).nan_to_num().cpu().numpy()
    room = SCATTER_SIDE - 1 - 2 * RADIUS
    columns = np.rint(RADIUS + (places[:, 0] + 1) / 2 * room).astype(int)
    rows = np.rint(RADIUS + (1 - places[:, 1]) / 2 * room).astype(int)
    ink = np.zeros((SCATTER_SIDE, SCATTER_SIDE))
    for down in range(-RADIUS, RADIUS + 1):
        for right in range(-RADIUS, RADIUS + 1):
            if down**2 + right**2 <= RADIUS**2:
                np.add.at(ink, (rows + down, columns + right), 1)
    return Image.fromarray(np.rint(255 * (1 - INK) ** ink).astype(np.uint8))


def square(count: int) -> int:
    """The number of columns that makes a grid of `count` images about square."""
    return max(1, isqrt(count))


def readable_scale(height: int, width: int) -> int:
    """The smallest whole factor that makes the shorter side at least 56 pixels: 2 for 28x28, 7 for 8x8, 1 for 64x64."""
    return max(1, ceil(READABLE_PIXELS / min(height, width)))


def to_pil(image: Tensor) -> Image.Image:
    """One (C, H, W) uint8 image, grey for one channel, RGB for three."""
    return Image.fromarray((image[0] if len(image) == 1 else image.permute(1, 2, 0)).contiguous().cpu().numpy())


def to_png(image: Image.Image) -> bytes:
    """The content of a PNG file."""
    file = BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def check_images(images: Tensor) -> None:
    """Raise DataError unless `images` are uint8 (N, C, H, W), with at least one image of 1 or 3 channels."""
    shape = tuple(images.shape)
    if images.dtype != torch.uint8 or len(shape) != 4 or shape[1] not in (1, 3) or 0 in shape:
        raise DataError(
            "a tensor does not hold images",
            code="not-images",
            expected="uint8 of shape (N, 1 or 3, H, W), N >= 1",
            found=f"{str(images.dtype).removeprefix('torch.')} of shape {shape}",
        )


def save_png(image: Image.Image, path: Path) -> None:
    """Write `image` to `path` as PNG, atomically."""
    with atomic_path(path) as temporary:
        image.save(temporary, format="PNG")
