"""Transposed convolutions that double a map into an image's few channels, as a plain convolution.

Of a filter of 4 x 4 in steps of two, 2 x 2 taps meet in each pixel of the doubled map, other ones in even and odd rows
and columns. The four kinds of pixels are four channels of one convolution of 3 x 3 over the small map, laid out in turn
afterwards (sub-pixel convolution, Shi et al. 2016, arXiv:1609.05158). On a CPU oneDNN takes up to two and a half times
as long for the transposed convolution, although five in nine taps of the plain one are zero.

Measured in docs/benchmarks.md.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_CHANNELS = 4  # with eight it is no longer always the faster way
DOUBLING = ((4, 4), (2, 2), (1, 1), (1, 1))  # filter, stride, padding, dilation
# Which of a filter's rows 3, 2, 1, 0, or none (4), an even and an odd row of pixels take from the rows of the small map
# above, beside and below them; columns likewise.
TAPS = torch.tensor([[0, 2, 4], [4, 1, 3]])


def doubled(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(N, A, H, W) inputs, transposed-convolved with (A, B, 4, 4) in steps of two, padding 1: (N, B, 2 H, 2 W)."""
    channels, (count, _, height, width) = weight.shape[1], inputs.shape
    flipped = F.pad(weight.transpose(0, 1).flip(2, 3), (0, 1, 0, 1))
    kinds = flipped[:, :, TAPS][:, :, :, :, TAPS].permute(2, 4, 0, 1, 3, 5)  # (2, 2, B, A, 3, 3)
    plain = kinds.reshape(-1, len(weight), 3, 3).contiguous(memory_format=torch.channels_last)
    pixels = F.conv2d(inputs, plain, None if bias is None else bias.repeat(4), padding=1).permute(0, 2, 3, 1)
    in_turn = pixels.reshape(count, height, width, 2, 2, channels).permute(0, 1, 3, 2, 4, 5)
    return in_turn.reshape(count, 2 * height, 2 * width, channels).permute(0, 3, 1, 2)
