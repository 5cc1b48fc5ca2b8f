"""Images under a filter, by their spectrum: a kernel of any size costs the same."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def filtered(images: Tensor, kernel: Tensor) -> Tensor:
    """(N, C, H, W) images under a (k, k) kernel, k odd, that is the same when it is turned by half a circle.

    Beyond the edge pixels repeat.
    """
    size = kernel.shape[0]
    padded = F.pad(images, (size // 2,) * 4, mode="replicate")
    shape = padded.shape[2:]
    spectrum = torch.fft.rfft2(padded) * torch.fft.rfft2(kernel.to(images), s=shape)
    circular: Tensor = torch.fft.irfft2(spectrum, s=shape)
    return circular[:, :, size - 1 :, size - 1 :]
