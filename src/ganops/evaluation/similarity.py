"""PSNR and SSIM between pictures and their truth, as pure functions of tensors."""

from __future__ import annotations

from math import log10

import torch
from torch import Tensor
from torch.nn import functional as F

RANGE = 255.0
MOST_DECIBELS = 100.0  # of equal pictures, whose PSNR would be infinite
KERNEL, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03


def psnr(outputs: Tensor, truth: Tensor) -> Tensor:
    """(n,) peak signal-to-noise ratio of images (n, C, H, W) in 0..255, in decibels, over all channels and pixels."""
    errors = (outputs.double() - truth.double()).square().flatten(1).mean(dim=1)
    return (20 * log10(RANGE) - 10 * errors.clamp(min=1e-30).log10()).clamp(max=MOST_DECIBELS)


def ssim(outputs: Tensor, truth: Tensor) -> Tensor:
    """(n,) structural similarity of images (n, C, H, W) in 0..255: mean over channels and positions.

    Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity": a Gaussian window of
    11 x 11 pixels and sigma 1.5 around every pixel, with images mirrored at their borders, as torchmetrics has it.
    """
    border = (KERNEL // 2,) * 4
    x, y = (F.pad(each.double(), border, mode="reflect") for each in (outputs, truth))
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
