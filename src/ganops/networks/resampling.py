"""Twice and half the resolution, each as one convolution with its resampling.

Repeating pixels, or taking the mean of four, and a filter of 3 x 3 are together one filter of 4 x 4 in steps of two:
the sum of the filter at four places. It gives the same maps up to rounding, with 4 in place of 9 products per pixel of
the larger maps. Weights keep the shape of the plain convolution.

Measured in docs/measurements/training-speed.md.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ganops.networks.maps import channels_last


def double(maps: Tensor) -> Tensor:
    """Twice the resolution, each pixel four times."""
    return F.interpolate(maps, scale_factor=2)


def halve(maps: Tensor) -> Tensor:
    """Half the resolution, the mean of each four pixels."""
    return F.avg_pool2d(maps, 2)


class DoublingConv(nn.Conv2d):
    """Each pixel four times, then a convolution of 3 x 3: (N, before, H, W) to (N, after, 2 H, 2 W)."""

    def __init__(self, before: int, after: int, *, bias: bool = True) -> None:
        super().__init__(before, after, 3, padding=1, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """Like `Conv2d` of `double(input)`."""
        weight = _at_four_places(self.weight.flip(2, 3).transpose(0, 1))
        return F.conv_transpose2d(input, channels_last(weight), self.bias, stride=2, padding=1)


class HalvingConv(nn.Conv2d):
    """A convolution of 3 x 3, then the mean of each four pixels: (N, before, H, W) to (N, after, H / 2, W / 2)."""

    def __init__(self, before: int, after: int, *, bias: bool = True) -> None:
        super().__init__(before, after, 3, padding=1, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """Like `halve` of `Conv2d`."""
        return F.conv2d(input, channels_last(_at_four_places(self.weight) / 4), self.bias, stride=2, padding=1)


def _at_four_places(weight: Tensor) -> Tensor:
    """(A, B, 3, 3) filters, added at the four places within 4 x 4."""
    rows = F.pad(weight, (0, 0, 0, 1)) + F.pad(weight, (0, 0, 1, 0))
    return F.pad(rows, (0, 1)) + F.pad(rows, (1, 0))
