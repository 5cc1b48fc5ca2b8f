"""Twice and half the resolution, each as one convolution with its resampling.

Repeating pixels, or taking the mean of four, and a filter of 3 x 3 are together one filter of 4 x 4 in steps of two:
the sum of the filter at four places. It gives the same maps up to rounding, with 4 in place of 9 products per pixel of
the larger maps. Weights keep the shape of the plain convolution.

Measured in docs/measurements/training-speed.md.
"""

from __future__ import annotations

import torch
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

    places: Tensor

    def __init__(self, before: int, after: int, *, bias: bool = True) -> None:
        super().__init__(before, after, 3, padding=1, bias=bias)
        # The transposed convolution turns its filters by half a turn.
        self.register_buffer("places", _four_places().flip(1).contiguous(), persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        """Like `Conv2d` of `double(input)`."""
        after, before = self.weight.shape[:2]
        filters = self.places @ self.weight.permute(2, 3, 1, 0).reshape(9, before * after)
        weight = filters.view(4, 4, before, after).permute(2, 3, 0, 1)
        return F.conv_transpose2d(input, channels_last(weight), self.bias, stride=2, padding=1)


class HalvingConv(nn.Conv2d):
    """A convolution of 3 x 3, then the mean of each four pixels: (N, before, H, W) to (N, after, H / 2, W / 2)."""

    places: Tensor

    def __init__(self, before: int, after: int, *, bias: bool = True) -> None:
        super().__init__(before, after, 3, padding=1, bias=bias)
        self.register_buffer("places", _four_places() / 4, persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        """Like `halve` of `Conv2d`."""
        after, before = self.weight.shape[:2]
        filters = self.places @ self.weight.permute(0, 2, 3, 1).reshape(after, 9, before)
        weight = filters.view(after, 4, 4, before).permute(0, 3, 1, 2)
        return F.conv2d(input, channels_last(weight), self.bias, stride=2, padding=1)


def _four_places() -> Tensor:
    """(16, 9): adds a 3 x 3 filter at the four places within 4 x 4, both row by row.

    One product on weights in channels-last format takes less than half the time of padding and adding.
    """
    line = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    return torch.kron(line, line)
