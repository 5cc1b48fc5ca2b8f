"""Unsharp masking of images, as Real-ESRGAN prepares the truth that its generator is to come near to."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from ganops.data.derived.filtering import filtered

TAPS, SIGMA = 51, 8.0  # of the Gaussian: cv2.getGaussianKernel(51, 0)
WEIGHT, THRESHOLD = 0.5, 10 / 255  # of the detail that is added, and from which on detail counts


def sharpened(images: Tensor) -> Tensor:
    """(N, C, H, W) images in [-1, 1] with their strong detail made stronger by half (Wang et al. 2021, 2107.10833).

    As USMSharp of BasicSR with its default settings, but beyond the edge pixels repeat, so that any size will do.
    """
    pixels, gaussian = (images + 1) / 2, _gaussian(images.device)
    detail = pixels - filtered(pixels, gaussian)
    where = filtered((detail.abs() > THRESHOLD).to(pixels), gaussian)
    stronger = (pixels + WEIGHT * detail).clamp(0, 1)
    return 2 * (where * stronger + (1 - where) * pixels) - 1


@lru_cache
def _gaussian(device: torch.device) -> Tensor:
    """Kept on the device, since a captured step must not copy it there."""
    places = torch.arange(TAPS, dtype=torch.float64) - TAPS // 2
    weights = torch.exp(-0.5 * (places / SIGMA) ** 2)
    weights = weights / weights.sum()
    return (weights[:, None] * weights).to(device)
