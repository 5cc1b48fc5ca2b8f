"""Random distortions of images that keep what they show: a reader of distorted images also reads other styles."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ganops.objectives.adaptive_augment import sample

SHIFT = 0.6  # standard deviation of shifts in half widths, in units of `strength`
COARSE = 3  # times smaller: the coarsest that an image becomes before it is enlarged again


def distorted(images: Tensor, strength: float) -> Tensor:
    """(N, C, H, W) images, each stretched, slanted, turned, shifted and blurred by another amount.

    strength: standard deviation of the stretch of both axes (in octaves), and of slant and turn (in radians). Blurring
    runs from none to a third of the resolution. Outside of an image lies its reflection.
    """
    with torch.autocast(images.device.type, enabled=False):  # positions of pixels need all of float32
        return _blurred(sample(images.float(), _random_matrices(len(images), strength, images.device)))


def _random_matrices(count: int, strength: float, device: torch.device) -> Tensor:
    """(N, 3, 3) as `sample` takes them."""
    stretch_x, stretch_y = torch.exp2(strength * torch.randn(2, count, device=device))
    turn, slant = strength * torch.randn(2, count, device=device)
    matrices = torch.zeros(count, 3, 3, device=device)
    matrices[:, 0, 0], matrices[:, 0, 1] = stretch_x * turn.cos(), slant - turn.sin()
    matrices[:, 1, 0], matrices[:, 1, 1] = turn.sin(), stretch_y * turn.cos()
    matrices[:, :2, 2] = strength * SHIFT * torch.randn(count, 2, device=device)
    matrices[:, 2, 2].fill_(1)  # an assigned number would be copied from the host, which no graph can record
    return matrices


def _blurred(images: Tensor) -> Tensor:
    """Between the images and coarse ones, each at another place."""
    sides = [max(1, side // COARSE) for side in images.shape[2:]]
    small = F.interpolate(images, sides, mode="bilinear", antialias=True)
    coarse = F.interpolate(small, images.shape[2:], mode="bicubic")
    return images.lerp(coarse, torch.rand(len(images), 1, 1, 1, device=images.device))
