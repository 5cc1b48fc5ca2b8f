"""Augmentations applied with a probability that adapts to overfitting (ADA, Karras et al. 2020, arXiv:2006.06676).

The paper's `bgc` set: pixel blitting, geometry, colours, each with probability p and so weak that it cannot leak into
the generated images while p < 0.8.

Differences from the authors' code: images are sampled bilinearly, without the wavelet filter around the geometry; what
lies outside of the image is its reflection however far away, where theirs is zero beyond one image width; and p stays
within [0, 1], where theirs may exceed 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def adaptive_augment(images: Tensor, probability: Tensor) -> Tensor:
    """Augment (N, C, H, W) images in about [-1, 1], each kind of change with `probability` (0-dim, in [0, 1])."""
    with torch.autocast(images.device.type, enabled=False):  # positions of pixels need all of float32
        return change_colors(sample(images.float(), random_geometry(images, probability)), probability)


def random_geometry(images: Tensor, probability: Tensor) -> Tensor:
    """(N, 3, 3) matrices from a point of the result to the point of the image that is shown there.

    Points are measured from the centre in half widths: x to the right, y down, the edges at -1 and 1.
    """
    draw = _Draw(images, probability)
    rare = 1 - (1 - probability).clamp(min=0).sqrt()  # at least one of two rotations happens with `probability`
    matrix = torch.eye(3, device=images.device).expand(len(images), 3, 3)
    matrix = matrix @ _scaling(1 - 2 * draw.choice(2), draw.one())  # mirror
    matrix = matrix @ _rotation(math.pi / 2 * draw.choice(4))
    size = images.shape[-1]
    shift_x, shift_y = draw.pair(lambda: torch.rand(len(images), device=images.device) * 2 - 1)
    matrix = matrix @ _translation(*((0.125 * size * shift).round() * 2 / size for shift in (shift_x, shift_y)))
    scale = torch.exp2(draw.normal(0.2))
    matrix = matrix @ _scaling(scale, scale)
    matrix = matrix @ _rotation(_Draw(images, rare).uniform(math.pi))
    stretch = torch.exp2(draw.normal(0.2))
    matrix = matrix @ _scaling(stretch, 1 / stretch)
    matrix = matrix @ _rotation(_Draw(images, rare).uniform(math.pi))
    shift_x, shift_y = draw.pair(lambda: torch.randn(len(images), device=images.device))
    return matrix @ _translation(2 * 0.125 * shift_x, 2 * 0.125 * shift_y)


def sample(images: Tensor, matrices: Tensor) -> Tensor:
    """Transform (N, C, H, W) images by (N, 3, 3) `matrices` (see `random_geometry`), bilinearly, reflected outside.

    By indexing: torch's grid_sample has no second derivative and no deterministic backward pass on a GPU.
    """
    count, _channels, height, width = images.shape
    y, x = (torch.arange(size, device=images.device) * 2 / size + 1 / size - 1 for size in (height, width))
    points = torch.stack((x.expand(height, width), y[:, None].expand(height, width), torch.ones_like(x + y[:, None])))
    source = matrices[:, :2] @ points.flatten(1).to(matrices)  # (N, 2, H W)
    column = (source[:, 0] + 1) * width / 2 - 0.5
    row = (source[:, 1] + 1) * height / 2 - 0.5
    left, top = column.floor(), row.floor()
    across, down = (column - left)[..., None], (row - top)[..., None]
    pixels = images.permute(0, 2, 3, 1)
    index = torch.arange(count, device=images.device)[:, None]

    def at(rows: Tensor, columns: Tensor) -> Tensor:
        return pixels[index, _mirrored(rows, height), _mirrored(columns, width)]

    upper = at(top, left).lerp(at(top, left + 1), across)
    lower = at(top + 1, left).lerp(at(top + 1, left + 1), across)
    return upper.lerp(lower, down).view(count, height, width, -1).permute(0, 3, 1, 2)


def change_colors(images: Tensor, probability: Tensor) -> Tensor:
    """Brightness, contrast, luma flip and, with three channels, hue and saturation."""
    draw = _Draw(images, probability)
    brightness, contrast = draw.normal(0.2), torch.exp2(draw.normal(0.5))
    images = (images + brightness[:, None, None, None]) * contrast[:, None, None, None]
    flip = (1 - 2 * draw.choice(2))[:, None, None, None]
    if images.shape[1] == 1:
        return images * flip
    grey = images.mean(dim=1, keepdim=True)
    turn, saturation = draw.uniform(math.pi), torch.exp2(draw.normal(1.0))
    color = _hue(turn, images) @ (images - grey).flatten(2) * saturation[:, None, None]
    return grey * flip + color.view_as(images)


class _Draw:
    """(N,) random amounts that take effect with `probability`, and are 0, which changes nothing, otherwise."""

    def __init__(self, images: Tensor, probability: Tensor) -> None:
        self.count, self.device, self.probability = len(images), images.device, probability

    def one(self) -> Tensor:
        return torch.ones(self.count, device=self.device)

    def choice(self, number: int) -> Tensor:
        """One of 0 .. number - 1."""
        return self._sometimes((torch.rand(self.count, device=self.device) * number).floor())

    def uniform(self, most: float) -> Tensor:
        return self._sometimes((torch.rand(self.count, device=self.device) * 2 - 1) * most)

    def normal(self, deviation: float) -> Tensor:
        return self._sometimes(torch.randn(self.count, device=self.device) * deviation)

    def pair(self, amounts: Callable[[], Tensor]) -> tuple[Tensor, Tensor]:
        """Two amounts that take effect together."""
        taken = self._taken()
        return amounts() * taken, amounts() * taken

    def _sometimes(self, amounts: Tensor) -> Tensor:
        return amounts * self._taken()

    def _taken(self) -> Tensor:
        return torch.rand(self.count, device=self.device) < self.probability


def _mirrored(position: Tensor, size: int) -> Tensor:
    """Whole positions folded back into 0 .. size - 1 at the outer pixels' centres."""
    period = max(2 * (size - 1), 1)
    folded = position.long().remainder(period)
    return torch.minimum(folded, period - folded).clamp(max=size - 1)


def _matrix(rows: list[list[Tensor]]) -> Tensor:
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _translation(x: Tensor, y: Tensor) -> Tensor:
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return _matrix([[one, zero, x], [zero, one, y], [zero, zero, one]])


def _scaling(x: Tensor, y: Tensor) -> Tensor:
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    return _matrix([[x, zero, zero], [zero, y, zero], [zero, zero, one]])


def _rotation(angle: Tensor) -> Tensor:
    one, zero, cos, sin = torch.ones_like(angle), torch.zeros_like(angle), angle.cos(), angle.sin()
    return _matrix([[cos, -sin, zero], [sin, cos, zero], [zero, zero, one]])


def _hue(angle: Tensor, images: Tensor) -> Tensor:
    """(N, 3, 3) rotations of colours about the grey axis, by Rodrigues' formula."""
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    same, grey = torch.eye(3, device=images.device), torch.full((3, 3), 1 / 3, device=images.device)
    turned = same.roll(1, dims=0)
    cross = (turned - turned.T) / math.sqrt(3)  # the cross product with the grey axis
    return cos * same + sin * cross + (1 - cos) * grey
