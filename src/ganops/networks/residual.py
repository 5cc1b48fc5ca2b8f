"""Residual blocks of the SNGAN family: SNGAN, SAGAN, projection cGAN, BigGAN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganops.networks.maps import channels_last
from ganops.settings import Settings

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


class ResnetWidths(Settings):
    """Widths of blocks: `width` channels next to the image, `growth` times more at each halving, up to `max_width`."""

    width: int = 256
    growth: Literal[1, 2] = 1
    max_width: int = 1024

    def at(self, halvings: int) -> int:
        """Channels of the block after this many halvings from the image."""
        return min(self.width * int(self.growth**halvings), max(self.max_width, self.width))


def norm_of(norm: nn.Module, maps: Tensor, condition: Tensor | None) -> Tensor:
    """A norm's output, given the condition where there is one."""
    return cast(Tensor, norm(maps) if condition is None else norm(maps, condition))


class UpBlock(nn.Module):
    """Norm, ReLU, twice the resolution, convolution, norm, ReLU, convolution, plus a 1x1 shortcut."""

    def __init__(self, before: int, after: int, layers: Layers, make_norm: MakeNorm) -> None:
        super().__init__()
        self.first_norm, self.second_norm = make_norm(before), make_norm(after)
        self.first = layers.conv(before, after, 3, gain=2**0.5)
        self.second = layers.conv(after, after, 3, gain=2**0.5)
        self.shortcut = layers.conv(before, after, 1)

    def forward(self, maps: Tensor, condition: Tensor | None = None) -> Tensor:
        """(N, before, H, W) to (N, after, 2 H, 2 W)."""
        hidden = self.first(double(F.relu(norm_of(self.first_norm, maps, condition))))
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
        self.second = layers.conv(hidden, after, 3, gain=2**0.5)
        self.shortcut = layers.conv(before, after, 1) if down or before != after else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H / 2, W / 2), or of the same size without `down`."""
        hidden = self._pool(self.second(F.relu(self.first(maps if self.is_first else F.relu(maps)))))
        # The mean of pixels and a 1x1 convolution commute; in this order it has a quarter of the work.
        return hidden + channels_last(self.shortcut(self._pool(maps)))

    def _pool(self, maps: Tensor) -> Tensor:
        return F.avg_pool2d(maps, 2) if self.down else maps


class SelfAttention(nn.Module):
    """Every position attends to all positions at half the resolution (SAGAN, Zhang et al. 2018, arXiv:1805.08318).

    With an eighth of the channels for queries and keys, half for values, as in the authors' and BigGAN's code; the
    weight of its output starts at zero.
    """

    def __init__(self, channels: int, layers: Layers) -> None:
        super().__init__()
        narrow, half = max(channels // 8, 1), max(channels // 2, 1)
        self.query, self.key = (layers.conv(channels, narrow, 1, bias=False) for _ in range(2))
        self.value = layers.conv(channels, half, 1, bias=False)
        self.output = layers.conv(half, channels, 1, bias=False)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        query = self.query(maps).flatten(2)
        key, value = (F.max_pool2d(part(maps), 2).flatten(2) for part in (self.key, self.value))
        weights = torch.softmax(query.transpose(1, 2) @ key, dim=2)  # (N, H W, H W / 4)
        attended = (value @ weights.transpose(1, 2)).reshape(len(maps), -1, *maps.shape[2:])
        return maps + self.share * cast(Tensor, self.output(attended))


def double(maps: Tensor) -> Tensor:
    """Twice the resolution, each pixel four times."""
    return F.interpolate(maps, scale_factor=2)
