"""StyleGAN2's low-pass filters, alone and with a change of resolution (Karras et al. 2020, arXiv:1912.04958)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Blur(nn.Module):
    """Low-pass filter with the taps 1 3 3 1, per channel; `gain` compensates for zeros between pixels."""

    taps: Tensor

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("taps", gain * line[:, None] * line[None], persistent=False)

    def forward(self, maps: Tensor, padding: int) -> Tensor:
        """(N, C, H, W) to (N, C, H + 2 padding - 3, W + 2 padding - 3)."""
        return self._filter(F.conv2d, maps, stride=1, padding=padding)

    def _filter(self, convolve: Callable[..., Tensor], maps: Tensor, stride: int, padding: int) -> Tensor:
        channels = maps.shape[1]
        taps = self.taps.to(maps.dtype).expand(channels, 1, 4, 4)
        return convolve(maps, taps, stride=stride, padding=padding, groups=channels)

    def _filter_by_twos(self, convolve: Callable[..., Tensor], maps: Tensor, padding: int) -> Tensor:
        """The filter in steps of two; on a CPU in float32, since oneDNN's bfloat16 takes ten to forty times as long."""
        if maps.device.type != "cpu":
            return self._filter(convolve, maps, stride=2, padding=padding)
        precise = maps.to(torch.promote_types(maps.dtype, torch.float32))
        with torch.autocast("cpu", enabled=False):
            return self._filter(convolve, precise, stride=2, padding=padding).to(maps.dtype)


class Upsample(Blur):
    """Twice the resolution: zeros between the pixels, then the filter."""

    def __init__(self) -> None:
        super().__init__(gain=4.0)

    def forward(self, maps: Tensor, padding: int = 1) -> Tensor:
        """(N, C, H, W) to (N, C, 2 H, 2 W)."""
        return self._filter_by_twos(F.conv_transpose2d, maps, padding)


class Downsample(Blur):
    """Half the resolution: the filter, then every second pixel."""

    def forward(self, maps: Tensor, padding: int = 1) -> Tensor:
        """(N, C, H, W) to (N, C, H / 2, W / 2)."""
        return self._filter_by_twos(F.conv2d, maps, padding)
