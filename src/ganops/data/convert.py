"""Images of one shape made to fit another: the one place where size and channels of uint8 images change."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ganops.errors import DataError

CHUNK = 1024  # images converted at a time, so that the float copies stay small


def convert(images: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Bring (N, C, H, W) uint8 images to `shape` (C, H, W), bicubic with antialiasing; equal shapes pass untouched.

    One channel becomes three equal ones; three become luma (ITU-R BT.601, as Pillow's "L").
    Raises DataError where one side is vectors, which no conversion leads to or from.
    """
    if images.shape[1:] == torch.Size(shape):
        return images
    if (1, 1) in (tuple(images.shape[2:]), shape[1:]):
        raise DataError(
            "vectors and images cannot be compared", expected=str(shape), found=str(tuple(images.shape[1:]))
        )
    return torch.cat([_conform(chunk, shape) for chunk in torch.split(images, CHUNK)])


def _conform(images: Tensor, shape: tuple[int, int, int]) -> Tensor:
    channels, height, width = shape
    floats = images.float()
    if channels == 1 and floats.shape[1] == 3:
        weights = floats.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
        floats = (floats * weights).sum(1, keepdim=True)
    elif channels == 3 and floats.shape[1] == 1:
        floats = floats.expand(-1, 3, -1, -1)
    if floats.shape[2:] != (height, width):
        floats = F.interpolate(floats, (height, width), mode="bicubic", align_corners=False, antialias=True)
    return (floats + 0.5).clamp(0, 255).to(torch.uint8)
