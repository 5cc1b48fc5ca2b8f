"""Borders that mirror an image, with a gradient that is the same bits on every run."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganops.networks.maps import channels_last


class MirrorPad(nn.Module):
    """(N, C, H, W) to (N, C, H + 2 border, W + 2 border), as nn.ReflectionPad2d, which is not deterministic on CUDA.

    There it is put together from pieces; on a CPU torch's own takes a tenth of the time.
    """

    def __init__(self, border: int) -> None:
        super().__init__()
        self.border = border

    def forward(self, maps: Tensor) -> Tensor:
        """The maps with mirrored borders; the outermost pixel is not repeated. Sides must be longer than the border."""
        if maps.device.type == "cpu":
            return F.pad(channels_last(maps), (self.border,) * 4, mode="reflect")
        return channels_last(self.from_pieces(maps))

    def from_pieces(self, maps: Tensor) -> Tensor:
        """The same by slices, flips and concatenation alone."""
        return self._padded(self._padded(maps, 2), 3)

    def _padded(self, maps: Tensor, dim: int) -> Tensor:
        before = maps.narrow(dim, 1, self.border).flip(dim)
        after = maps.narrow(dim, maps.shape[dim] - 1 - self.border, self.border).flip(dim)
        return torch.cat((before, maps, after), dim)
