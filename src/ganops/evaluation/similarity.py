"""PSNR and SSIM between pictures and their truth, as pure functions of tensors."""

from __future__ import annotations

from math import log10
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Edges = Literal["mirrored", "left-out"]

RANGE = 255.0
MOST_DECIBELS = 100.0  # of equal pictures, whose PSNR would be infinite
KERNEL, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03


def psnr(outputs: Tensor, truth: Tensor) -> Tensor:
    """(n,) peak signal-to-noise ratio of images (n, C, H, W) in 0..255, in decibels, over all channels and pixels."""
    errors = (outputs.double() - truth.double()).square().flatten(1).mean(dim=1)
    return (20 * log10(RANGE) - 10 * errors.clamp(min=1e-30).log10()).clamp(max=MOST_DECIBELS)


def luma_of_video(images: Tensor) -> Tensor:
    """(n, 3, H, W) RGB in 0..255 to (n, 1, H, W) luma in 16..235, not rounded; grey images as they are.

    ITU-R BT.601 as MATLAB's rgb2ycbcr has it, in which papers on super-resolution measure PSNR.
    """
    if images.shape[1] == 1:
        return images
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=torch.float64, device=images.device) / RANGE
    return 16 + (images.double() * weights.view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def without_border(images: Tensor, border: int) -> Tensor:
    """(n, C, H, W) without so many pixels on each side."""
    return images[:, :, border : images.shape[2] - border, border : images.shape[3] - border]


def ssim(outputs: Tensor, truth: Tensor, edges: Edges = "mirrored") -> Tensor:
    """(n,) structural similarity of images (n, C, H, W) in 0..255: mean over channels and positions.

    Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity": a Gaussian window of
    11 x 11 pixels and sigma 1.5. edges: around every pixel, with images mirrored at their borders, as torchmetrics has
    it; or only where the window lies within the image, as the authors' MATLAB code and BasicSR.
    """
    x, y = outputs.double(), truth.double()
    if edges == "mirrored":
        x, y = (F.pad(each, (KERNEL // 2,) * 4, mode="reflect") for each in (x, y))
    window = _window(KERNEL).to(x.device)
    mean_x, mean_y, xx, yy, xy = (_blur(each, window) for each in (x, y, x * x, y * y, x * y))
    variance_x, variance_y = (xx - mean_x**2).clamp(min=0), (yy - mean_y**2).clamp(min=0)
    covariance = xy - mean_x * mean_y
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    upper = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    lower = (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return (upper / lower).flatten(1).mean(dim=1)


def _window(size: int) -> Tensor:
    places = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weights = (-((places / SIGMA) ** 2) / 2).exp()
    return weights / weights.sum()


def _blur(images: Tensor, window: Tensor) -> Tensor:
    """The Gaussian mean around each position, channel by channel, rows before columns."""
    channels = images.shape[1]
    rows = window.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    return F.conv2d(F.conv2d(images, rows, groups=channels), rows.transpose(2, 3), groups=channels)
