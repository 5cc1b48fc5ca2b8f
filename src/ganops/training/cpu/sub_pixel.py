"""Transposed convolutions that double a map into an image's few channels, as a plain convolution.

Of a filter of 4 x 4 in steps of two, 2 x 2 taps meet in each pixel of the doubled map, other ones in even and odd rows
and columns. The four kinds of pixels are four outputs of one convolution of 2 x 2 over the small map with a border of
zeros, laid out in turn afterwards (sub-pixel convolution, Shi et al. 2016, arXiv:1609.05158). On a CPU oneDNN takes up
to three and a half times as long for the transposed convolution.

Measured in docs/measurements/training-speed.md.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_CHANNELS = 8  # with sixteen it is no longer always the faster way
DOUBLING = ((4, 4), (2, 2), (1, 1), (1, 1))  # filter, stride, padding, dilation
# Which of a filter's rows an even row of pixels takes from the rows of the small map above and beside it, and which an
# odd one from those beside and below it; columns likewise.
TAPS = torch.tensor([3, 1, 2, 0])


def doubled(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(N, A, H, W) inputs, transposed-convolved with (A, B, 4, 4) in steps of two, padding 1: (N, B, 2 H, 2 W)."""
    channels, (count, _, height, width) = weight.shape[1], inputs.shape
    taps = weight.index_select(2, TAPS).index_select(3, TAPS).view(*weight.shape[:2], 2, 2, 2, 2)
    kinds = taps.permute(2, 4, 1, 0, 3, 5).reshape(-1, len(weight), 2, 2)  # (odd row, odd column, B) by A
    plain = kinds.contiguous(memory_format=torch.channels_last)
    found = F.conv2d(inputs, plain, None if bias is None else bias.repeat(4), padding=1).permute(0, 2, 3, 1)
    found = found.reshape(count, height + 1, width + 1, 2, 2, channels)
    pixels = found.new_empty(count, height, 2, width, 2, channels)
    for row in (0, 1):
        for column in (0, 1):
            beside = found[:, row : row + height, column : column + width, row, column]
            pixels[:, :, row, :, column] = beside
    return pixels.view(count, 2 * height, 2 * width, channels).permute(0, 3, 1, 2)
