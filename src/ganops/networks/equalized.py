"""Layers with an equalised learning rate, modulated ones among them (Karras et al., arXiv:1710.10196; 1912.04958)."""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganops.networks.low_pass import Blur


def leaky(maps: Tensor) -> Tensor:
    """LeakyReLU of slope 0.2 that keeps the variance, times sqrt(2)."""
    return F.leaky_relu(maps, 0.2) * math.sqrt(2)


class EqualLinear(nn.Module):
    """A linear layer with standard normal weights that are scaled when used, so that all layers learn equally fast.

    rate: factor on its learning rate (the mapping's is 0.01). start: the bias's initial value.
    """

    def __init__(self, before: int, after: int, rate: float = 1.0, start: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before) / rate)
        self.bias = nn.Parameter(torch.full((after,), start / rate))
        self.scale, self.rate = rate / math.sqrt(before), rate

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, before) to (N, after)."""
        return F.linear(inputs, self.weight * self.scale, self.bias * self.rate)


class EqualConv(nn.Module):
    """A convolution with scaled weights that keeps the size, or halves it after a low-pass filter."""

    def __init__(self, before: int, after: int, size: int, *, bias: bool = True, down: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before, size, size))
        self.bias = nn.Parameter(torch.zeros(after)) if bias else None
        self.scale, self.size, self.blur = 1 / math.sqrt(before * size**2), size, Blur() if down else None

    def forward(self, maps: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H, W) or (N, after, H / 2, W / 2)."""
        weight = self.weight * self.scale
        if self.blur is None:
            return F.conv2d(maps, weight, self.bias, padding=self.size // 2)
        # The filter of four taps and the convolution together keep the picture centred.
        return F.conv2d(self.blur(maps, (self.size + 1) // 2), weight, self.bias, stride=2)


class ModulatedConv(nn.Module):
    """A convolution with input channels scaled by a style, its output normalised to unit variance (demodulated).

    up: twice the resolution first.
    """

    def __init__(
        self, before: int, after: int, size: int, style_dim: int, *, demodulate: bool = True, up: bool = False
    ) -> None:
        super().__init__()
        self.style = EqualLinear(style_dim, before, start=1.0)
        self.weight = nn.Parameter(torch.randn(after, before, size, size))
        self.bias = nn.Parameter(torch.zeros(after))
        self.scale, self.size, self.demodulate = 1 / math.sqrt(before * size**2), size, demodulate
        self.blur = Blur(gain=4.0) if up else None

    def forward(self, maps: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """(N, before, H, W) maps and (N, style_dim) styles to (N, after, H, W), or twice as large."""
        scales = cast(Tensor, self.style(style))
        scales = scales.to(torch.promote_types(scales.dtype, torch.float32))  # its squares need the precision
        weight = self.weight * self.scale
        maps = maps * scales[:, :, None, None].to(maps.dtype)
        if self.blur is None:
            maps = F.conv2d(maps, weight, padding=self.size // 2)
        else:
            maps = self.blur(F.conv_transpose2d(maps, weight.transpose(0, 1), stride=2), padding=1)
        if self.demodulate:
            power = scales.square() @ weight.square().sum(dim=(2, 3)).T
            maps = maps * (power + 1e-8).rsqrt()[:, :, None, None].to(maps.dtype)
        # In the maps' precision, as the authors do: a float32 operand would make all maps float32.
        if noise is not None:
            maps = maps + noise.to(maps.dtype)
        return maps + self.bias[:, None, None].to(maps.dtype)
