"""Residual blocks of the SNGAN family: SNGAN, SAGAN, projection cGAN, BigGAN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganops.networks.maps import channels_last
from ganops.networks.resampling import DoublingConv, HalvingConv, double, halve

MakeNorm = Callable[[int], nn.Module]
L = TypeVar("L", nn.Conv2d, nn.Linear, nn.Embedding)


@dataclass(frozen=True)
class Layers:
    """Makes a network's layers: with spectral norm or not (arXiv:1802.05957), and with which initial weights."""

    spectral: bool
    start: Literal["xavier", "normal", "orthogonal"] = "xavier"

    def conv(self, before: int, after: int, size: int, gain: float = 1.0, bias: bool = True) -> nn.Module:
        """A convolution that keeps the resolution."""
        return self._made(nn.Conv2d(before, after, size, padding=size // 2, bias=bias), gain)

    def doubling(self, before: int, after: int, gain: float = 1.0) -> nn.Module:
        """Twice the resolution, then a convolution of 3 x 3."""
        return self._made(DoublingConv(before, after), gain)

    def halving(self, before: int, after: int, gain: float = 1.0) -> nn.Module:
        """A convolution of 3 x 3, then half the resolution."""
        return self._made(HalvingConv(before, after), gain)

    def linear(self, before: int, after: int, bias: bool = True) -> nn.Module:
        """A linear layer."""
        return self._made(nn.Linear(before, after, bias=bias), 1.0)

    def embedding(self, count: int, after: int) -> nn.Module:
        """A table of vectors."""
        return self._made(nn.Embedding(count, after), 1.0)

    def _made(self, layer: L, gain: float) -> nn.Module:
        if self.start == "xavier":
            nn.init.xavier_uniform_(layer.weight, gain)
        elif self.start == "normal":
            nn.init.normal_(layer.weight, 0.0, 0.02)
        else:
            nn.init.orthogonal_(layer.weight)
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
        return spectral_norm(layer) if self.spectral else layer


def norm_of(norm: nn.Module, maps: Tensor, condition: Tensor | None) -> Tensor:
    """A norm's output, given the condition where there is one."""
    return cast(Tensor, norm(maps) if condition is None else norm(maps, condition))


class UpBlock(nn.Module):
    """Norm, ReLU, twice the resolution, convolution, norm, ReLU, convolution, plus a 1x1 shortcut."""

    def __init__(self, before: int, after: int, layers: Layers, make_norm: MakeNorm) -> None:
        super().__init__()
        self.first_norm, self.second_norm = make_norm(before), make_norm(after)
        self.first = layers.doubling(before, after, gain=2**0.5)
        self.second = layers.conv(after, after, 3, gain=2**0.5)
        self.shortcut = layers.conv(before, after, 1)

    def forward(self, maps: Tensor, condition: Tensor | None = None) -> Tensor:
        """(N, before, H, W) to (N, after, 2 H, 2 W)."""
        hidden = self.first(F.relu(norm_of(self.first_norm, maps, condition)))
        hidden = self.second(F.relu(norm_of(self.second_norm, hidden, condition)))
        # Repeating pixels and a 1x1 convolution commute; in this order it has a quarter of the work.
        return cast(Tensor, hidden + double(self.shortcut(maps)))


class DownBlock(nn.Module):
    """ReLU, convolution, ReLU, convolution, half the resolution, plus a shortcut.

    first: the block whose input is the image itself: no ReLU before it.
    """

    def __init__(
        self, before: int, after: int, hidden: int, layers: Layers, *, down: bool = True, first: bool = False
    ) -> None:
        super().__init__()
        self.down, self.is_first = down, first
        self.first = layers.conv(before, hidden, 3, gain=2**0.5)
        self.second = layers.halving(hidden, after, 2**0.5) if down else layers.conv(hidden, after, 3, 2**0.5)
        self.shortcut = layers.conv(before, after, 1) if down or before != after else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H / 2, W / 2), or of the same size without `down`."""
        hidden = self.second(F.relu(self.first(maps if self.is_first else F.relu(maps))))
        # The mean of pixels and a 1x1 convolution commute; in this order it has a quarter of the work.
        return cast(Tensor, hidden + channels_last(self.shortcut(halve(maps) if self.down else maps)))
