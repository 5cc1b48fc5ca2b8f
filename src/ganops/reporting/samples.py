"""The picture of samples: a grid of images, or vectors as points of the plane."""

from __future__ import annotations

from math import isqrt

import numpy as np
from PIL import Image
from torch import Tensor

from ganops.data.packed import are_vectors
from ganops.errors import EvaluationError
from ganops.reporting.grids import image_grid

SIDE = 320  # pixels
RADIUS = 2
INK = 0.35  # how much of the white that is left a point takes: where many lie, it is black


def draw_samples(samples: Tensor, columns: int | None = None) -> Image.Image:
    """Draw packed samples, of which there is at least one; `columns` images in a row, None for a square grid.

    Raises EvaluationError for samples that are neither images nor points.
    """
    if are_vectors(samples):
        return scatter(samples)
    return image_grid(samples, columns or max(1, isqrt(len(samples))))


def scatter(points: Tensor) -> Image.Image:
    """The first two coordinates of (N, D, 1, 1) vectors: x to the right, y upwards, both from -1 to 1.

    Points beyond stand at the edge. Raises EvaluationError for vectors of one number.
    """
    if points.shape[1] < 2:
        raise EvaluationError("vectors of one number are no points of a plane", expected="two numbers or more")
    places = points.flatten(1)[:, :2].clamp(-1, 1).nan_to_num().cpu().numpy()
    room = SIDE - 1 - 2 * RADIUS
    columns = np.rint(RADIUS + (places[:, 0] + 1) / 2 * room).astype(int)
    rows = np.rint(RADIUS + (1 - places[:, 1]) / 2 * room).astype(int)
    ink = np.zeros((SIDE, SIDE))
    for down in range(-RADIUS, RADIUS + 1):
        for right in range(-RADIUS, RADIUS + 1):
            if down**2 + right**2 <= RADIUS**2:
                np.add.at(ink, (rows + down, columns + right), 1)
    return Image.fromarray(np.rint(255 * (1 - INK) ** ink).astype(np.uint8))
