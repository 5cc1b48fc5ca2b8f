"""SPADE: a generator whose layers are modulated by the label map (Park et al. 2019, arXiv:1903.07291)."""

from __future__ import annotations

from typing import Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganops.data.spec import IMAGE, DataSpec
from ganops.networks.data_shapes import check_equal_sizes, image_field, picture_field, resolutions
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, Translator
from ganops.networks.norms import InstanceNorm
from ganops.settings import Settings

SLOPE = 0.2  # of LeakyReLU
GAIN = 0.02  # of the initial weights
MOST_GROWTH = 16  # channels of the widest layer, in units of `width`


class SpadeSettings(Settings):
    """source, target: names of the fields it is built for, of equal size; a source is label maps or images.

    width: channels at full resolution; they double with every halving, to 16 times. hidden: channels of the layer
    between a label map and the gains and offsets that follow from it; 128 in the paper.
    norm: without gains of its own, before the modulation: "instance", or "batch" as in the paper.
    spectral: whether the convolutions have spectral norm, as in the paper.
    """

    source: str = "source"
    target: str = IMAGE
    width: int = Field(default=64, ge=1)
    hidden: int = Field(default=128, ge=1)
    norm: Literal["instance", "batch"] = "instance"
    spectral: bool = True


class SpatiallyAdaptiveNorm(nn.Module):
    """Normalised maps with a gain and an offset for each place, made of the label map there (equation 1)."""

    def __init__(self, channels: int, labels: int, settings: SpadeSettings) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False) if settings.norm == "batch" else InstanceNorm(channels)
        self.shared = nn.Sequential(nn.Conv2d(labels, settings.hidden, 3, padding=1), nn.ReLU())
        self.gain = nn.Conv2d(settings.hidden, channels, 3, padding=1)
        self.offset = nn.Conv2d(settings.hidden, channels, 3, padding=1)

    def forward(self, maps: Tensor, labels: Tensor) -> Tensor:
        """(N, C, h, w) maps and (N, K, H, W) label maps, which are resized by the nearest pixel, to (N, C, h, w)."""
        shared = self.shared(F.interpolate(labels, maps.shape[2:], mode="nearest"))
        return cast(Tensor, self.norm(maps) * (1 + self.gain(shared)) + self.offset(shared))


class SpadeBlock(nn.Module):
    """Twice modulation, LeakyReLU and convolution, plus what came in, through a 1 x 1 one where channels change."""

    def __init__(self, before: int, after: int, labels: int, settings: SpadeSettings) -> None:
        super().__init__()
        between = min(before, after)
        self.first_norm = SpatiallyAdaptiveNorm(before, labels, settings)
        self.second_norm = SpatiallyAdaptiveNorm(between, labels, settings)
        self.first, self.second = nn.Conv2d(before, between, 3, padding=1), nn.Conv2d(between, after, 3, padding=1)
        self.shortcut_norm: nn.Module | None = None
        if before != after:
            self.shortcut_norm = SpatiallyAdaptiveNorm(before, labels, settings)
            self.shortcut = nn.Conv2d(before, after, 1, bias=False)

    def forward(self, maps: Tensor, labels: Tensor) -> Tensor:
        """(N, before, h, w) to (N, after, h, w)."""
        made = self.first(F.leaky_relu(self.first_norm(maps, labels), SLOPE))
        made = self.second(F.leaky_relu(self.second_norm(made, labels), SLOPE))
        kept = maps if self.shortcut_norm is None else self.shortcut(self.shortcut_norm(maps, labels))
        return cast(Tensor, kept + made)


@NETWORKS.add("spade", SpadeSettings)
class Spade(Translator):
    """(N, K, H, W) one-hot label maps, or images, to (N, C, H, W) images in [-1, 1].

    It starts from the label map at 3..8 pixels and doubles that, with a block at each size and two at the second, as
    the authors' code does at 8 to 256 pixels.
    """

    def __init__(self, settings: SpadeSettings, spec: DataSpec) -> None:
        super().__init__()
        self.source, self.target = settings.source, settings.target
        source, target = picture_field(spec, settings.source), image_field(spec, settings.target)
        check_equal_sizes("SPADE", source, target)
        sizes = resolutions(target.size)
        self.start = sizes[0]
        widths = [settings.width * min(target.size // size, MOST_GROWTH) for size in sizes]
        self.first = nn.Conv2d(source.channels, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList()
        for number, (before, after) in enumerate(zip([widths[0], *widths], widths, strict=False)):
            twice = number == 1
            self.blocks.append(
                nn.ModuleList(
                    SpadeBlock(before if place == 0 else after, after, source.channels, settings)
                    for place in range(1 + twice)
                )
            )
        self.to_image = nn.Conv2d(widths[-1], target.channels, 3, padding=1)
        self.apply(_initial_weights)
        if settings.spectral:
            for layer in [layer for block in self.blocks.modules() for layer in _own_convolutions(block)]:
                spectral_norm(layer)

    def forward(self, images: Tensor) -> Tensor:
        """The target of each source."""
        labels = channels_last(images)
        maps = self.first(F.interpolate(labels, (self.start, self.start), mode="nearest"))
        for number, blocks in enumerate(self.blocks):
            if number:
                maps = F.interpolate(maps, scale_factor=2, mode="nearest")
            for block in cast(nn.ModuleList, blocks):
                maps = block(maps, labels)
        return torch.tanh(self.to_image(F.leaky_relu(maps, SLOPE)))


def _own_convolutions(block: nn.Module) -> list[nn.Conv2d]:
    """Those of a SpadeBlock, without those of its modulations."""
    return (
        [layer for layer in block.children() if isinstance(layer, nn.Conv2d)] if isinstance(block, SpadeBlock) else []
    )


def _initial_weights(module: nn.Module) -> None:
    """Normal weights after Glorot and Bengio, times 0.02, as the authors' code has it."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_normal_(module.weight, GAIN)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
