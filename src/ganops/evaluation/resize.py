"""How images get the size a backbone wants. Two ways are in use, they give different scores, so each has a name."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from ganops.errors import EvaluationError

Resize = Literal["pytorch-fid", "clean-fid"]

# ITU-R BT.601, the weights Pillow uses for conversion to "L".
LUMA = (0.299, 0.587, 0.114)


def resize_for_backbone(images: Tensor, size: int, how: Resize) -> Tensor:
    """(N, 3, H, W) uint8 or float in 0..255 to (N, 3, size, size) float32 in [-1, 1], as the named library does it.

    "pytorch-fid": bilinear on values in 0..1 without any smoothing before shrinking, then 2 x - 1.
    "clean-fid": Pillow's bicubic on float channels (smoothed when shrinking), clipped to 0..255, then (x - 128) / 128
    (Parmar et al. 2022, arXiv:2104.11222).
    """
    if how == "pytorch-fid":
        return 2 * F.interpolate(images.float() / 255, size=(size, size), mode="bilinear", align_corners=False) - 1
    return (_bicubic(images.float(), size, size).clamp(0, 255) - 128) / 128


# The name under which `conform` stands in a protocol.
CONVERSION = "BT.601 grey, repeated grey, Pillow-like bicubic"


def conform(images: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Bring generated images (N, C, H, W) uint8 to the reference's (C, H, W): the only place where this is done.

    RGB becomes grey by BT.601, grey becomes RGB by repetition; another size by bicubic resampling, smoothed when
    shrinking. Images that fit already are returned as they are.
    Raises EvaluationError for anything that is no uint8 image with 1 or 3 channels.
    """
    check_images(images)
    channels, height, width = shape
    if tuple(images.shape[1:]) == shape:
        return images
    values = images.float()
    if channels == 1 and values.shape[1] == 3:
        values = (values * values.new_tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    if tuple(values.shape[2:]) != (height, width):
        values = _bicubic(values, height, width)
    return values.expand(-1, channels, -1, -1).round().clamp(0, 255).to(images.dtype)


def as_rgb(images: Tensor) -> Tensor:
    """(N, 1 or 3, H, W) as (N, 3, H, W); grey is repeated."""
    return images.expand(-1, 3, -1, -1)


def check_images(images: Tensor) -> None:
    """Raise EvaluationError unless `images` are (N, 1 or 3, H, W) uint8."""
    if str(images.dtype) != "torch.uint8" or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise EvaluationError(
            "images to be scored have the wrong form",
            expected="uint8 (N, C, H, W) with 1 or 3 channels",
            found=f"{images.dtype} {tuple(images.shape)}",
        )


def _bicubic(values: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(values, size=(height, width), mode="bicubic", align_corners=False, antialias=True)
