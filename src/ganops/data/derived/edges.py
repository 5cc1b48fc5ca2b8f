"""Edges of images, as edges-to-photo starts from (J. Canny: A computational approach to edge detection, 1986)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field as Bounded
from pydantic import model_validator
from torch import Tensor

from ganops.data.derived.derivation import DERIVATIONS, Derivation
from ganops.data.derived.images import image_source, levels, shifted
from ganops.data.fields.field import Field

BINOMIAL = (1, 4, 6, 4, 1)  # a Gaussian of standard deviation 1, in whole numbers
STEP = 640  # the gradient below of an ideal step of one grey level
REACH = 16  # steps along weak edges from a strong one


@DERIVATIONS.add("edges")
class Edges(Derivation):
    """Thin lines, white on black, where the image is steepest: Canny's detector on its luma.

    high: the height of a step, in grey levels, from which on it is an edge. low: from which on it is one where it is
    connected to an edge, within 16 pixels.
    All is computed in whole numbers, so every device gives the same lines.
    """

    low: int = Bounded(default=16, ge=1, le=255)
    high: int = Bounded(default=40, ge=1, le=255)

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Edges:
        if self.low > self.high:
            raise ValueError("low: at most high")
        return self

    def field(self, source: Field) -> Field:
        """One channel of the same size."""
        return image_source(source, "edges").model_copy(update={"channels": 1})

    def derive(self, modelled: Tensor, _generator: torch.Generator | None = None) -> Tensor:
        """The same for every call: 1 on edges, -1 elsewhere."""
        grey = _whole_luma(levels(modelled).int())
        smooth = _smoothed(_smoothed(grey, 0, 1), 1, 0)
        right, down = _difference(smooth, 0, 1), _difference(smooth, 1, 0)
        steepness = right.abs() + down.abs()
        thin = steepness * _is_ridge(steepness, right, down)
        strong, weak = (thin >= STEP * self.high).float(), (thin >= STEP * self.low).float()
        for _ in range(REACH):
            strong = F.max_pool2d(strong, 3, stride=1, padding=1) * weak
        return (strong * 2 - 1).to(modelled.dtype)


def _whole_luma(colours: Tensor) -> Tensor:
    if colours.shape[1] == 1:
        return colours
    return (77 * colours[:, 0:1] + 150 * colours[:, 1:2] + 29 * colours[:, 2:3] + 128) // 256


def _smoothed(image: Tensor, down: int, right: int) -> Tensor:
    """16 times the weighted mean along one axis."""
    total = torch.zeros_like(image)
    for tap, weight in enumerate(BINOMIAL, start=-2):
        total = total + weight * shifted(image, tap * down, tap * right)
    return total


def _difference(image: Tensor, down: int, right: int) -> Tensor:
    """Sobel's operator along one axis."""
    change = shifted(image, down, right) - shifted(image, -down, -right)
    return 2 * change + shifted(change, right, down) + shifted(change, -right, -down)


def _is_ridge(steepness: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Where no neighbour along the gradient is steeper; of two equal ones the first counts."""

    def above(y: int, x: int) -> Tensor:
        return (steepness >= shifted(steepness, y, x)) & (steepness > shifted(steepness, -y, -x))

    level, upright = 5 * down.abs() < 2 * right.abs(), 5 * right.abs() < 2 * down.abs()  # within 22 degrees
    falling = (right > 0) == (down > 0)
    diagonal = torch.where(falling, above(1, 1), above(1, -1))
    return torch.where(level, above(0, 1), torch.where(upright, above(1, 0), diagonal))
