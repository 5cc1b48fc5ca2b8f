"""How images get the size that a feature extractor takes. Two ways are in use and give different scores."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ganops.errors import EvaluationError

Resize = Literal["pytorch-fid", "clean-fid"]


def resize_for_extractor(images: Tensor, size: int, how: Resize) -> Tensor:
    """(N, 3, H, W) uint8 or float in 0..255 to (N, 3, size, size) float32 in [-1, 1], as the named library does it.

    "pytorch-fid": bilinear on values in 0..1 without any smoothing before shrinking, then 2 x - 1.
    "clean-fid": Pillow's bicubic on float channels (smoothed when shrinking), clipped to 0..255, then (x - 128) / 128
    (Parmar et al. 2022, arXiv:2104.11222).
    """
    if how == "pytorch-fid":
        return 2 * F.interpolate(images.float() / 255, size=(size, size), mode="bilinear", align_corners=False) - 1
    values = F.interpolate(images.float(), size=(size, size), mode="bicubic", align_corners=False, antialias=True)
    return (values.clamp(0, 255) - 128) / 128


def as_rgb(images: Tensor) -> Tensor:
    """(N, 1 or 3, H, W) as (N, 3, H, W); grey is repeated."""
    return images.expand(-1, 3, -1, -1)


def check_stored(samples: Tensor) -> None:
    """Raise EvaluationError unless samples are stored images, (N, 1 or 3, H, W) uint8, or vectors, (N, D) float32."""
    images = samples.dtype == torch.uint8 and samples.ndim == 4 and samples.shape[1] in (1, 3)
    vectors = samples.dtype == torch.float32 and samples.ndim == 2
    if not (images or vectors):
        raise EvaluationError(
            "samples to be scored have the wrong form",
            code="wrong-form",
            expected="images: uint8 (N, C, H, W) with 1 or 3 channels; or vectors: float32 (N, D)",
            found=f"{samples.dtype} {tuple(samples.shape)}",
        )
