"""Differentiable augmentation of a discriminator's input (Zhao et al. 2020, arXiv:2006.10738).

All functions take and return (N, C, H, W) images in about [-1, 1], draw from torch's generator of the images' device,
and move pixels by indexing, which has a deterministic backward pass on every device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

PolicyName = Literal["flip", "color", "translation", "cutout"]

TRANSLATION_SHARE = 0.125
CUTOUT_SHARE = 0.5


def augment(images: Tensor, policy: Sequence[PolicyName]) -> Tensor:
    """Apply the named augmentations in order, each with random numbers per image."""
    images = images.float()
    for name in policy:
        images = AUGMENTATIONS[name](images)
    return images


def random_flip(images: Tensor) -> Tensor:
    """Mirror left and right with probability 1/2."""
    return torch.where(_uniform(images) < 0.5, images.flip(3), images)


def random_color(images: Tensor) -> Tensor:
    """Brightness by up to 0.5, saturation by 0 to 2 (three channels only), contrast by 0.5 to 1.5."""
    images = images + _uniform(images) - 0.5
    if images.shape[1] == 3:
        images = images.mean(dim=1, keepdim=True).lerp(images, 2 * _uniform(images))
    return images.mean(dim=(1, 2, 3), keepdim=True).lerp(images, _uniform(images) + 0.5)


def random_translation(images: Tensor) -> Tensor:
    """Shift by up to an eighth of the size in both directions; pixels from outside are 0, mid grey."""
    rows, columns = (_shifted(images, dim) for dim in (2, 3))
    inside = _within(rows, images.shape[2])[:, :, None] & _within(columns, images.shape[3])[:, None, :]
    picked = images.permute(0, 2, 3, 1)[
        torch.arange(len(images), device=images.device)[:, None, None],
        rows.clamp(0, images.shape[2] - 1)[:, :, None],
        columns.clamp(0, images.shape[3] - 1)[:, None, :],
    ]
    return picked.permute(0, 3, 1, 2) * inside[:, None]


def random_cutout(images: Tensor) -> Tensor:
    """Set a square of half the size, its centre anywhere in the image, to 0."""
    rows, columns = (_cut(images, dim) for dim in (2, 3))
    return images * ~(rows[:, :, None] & columns[:, None, :])[:, None]


AUGMENTATIONS: dict[PolicyName, Callable[[Tensor], Tensor]] = {
    "flip": random_flip,
    "color": random_color,
    "translation": random_translation,
    "cutout": random_cutout,
}


def _uniform(images: Tensor) -> Tensor:
    """(N, 1, 1, 1) uniform in [0, 1)."""
    return torch.rand(len(images), 1, 1, 1, device=images.device)


def _shifted(images: Tensor, dim: int) -> Tensor:
    """(N, size) source positions along `dim`."""
    size = images.shape[dim]
    most = int(size * TRANSLATION_SHARE + 0.5)
    shift = torch.randint(-most, most + 1, (len(images), 1), device=images.device)
    return torch.arange(size, device=images.device) + shift


def _cut(images: Tensor, dim: int) -> Tensor:
    """(N, size) True where a position along `dim` is in the cut."""
    size = images.shape[dim]
    edge = int(size * CUTOUT_SHARE + 0.5)
    start = torch.randint(0, size + 1 - edge % 2, (len(images), 1), device=images.device) - edge // 2
    position = torch.arange(size, device=images.device)
    return (position >= start) & (position < start + edge)


def _within(positions: Tensor, size: int) -> Tensor:
    return (positions >= 0) & (positions < size)
