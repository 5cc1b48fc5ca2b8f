"""RRDBNet: residual-in-residual dense blocks, then resize-convolutions (Wang et al. 2018, ESRGAN, arXiv:1809.00219)."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import image_field
from ganops.networks.enlarging import enlarging_factor, small_weights
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, Translator
from ganops.networks.resampling import DoublingConv
from ganops.settings import Settings

SLOPE = 0.2  # of LeakyReLU
RESIDUAL = 0.2  # factor on every residual branch, which keeps deep networks stable (section 3.1)
DENSE_LAYERS, DENSE_BLOCKS = 5, 3
UPWARDS = 4  # how many times the network enlarges what it works on; less is asked of smaller maps


class RRDBSettings(Settings):
    """source, target: names of the image fields; the target is 1, 2 or 4 times as large, of equal channels.

    width: channels between blocks; growth: channels that a layer of a dense block adds; blocks: of three dense blocks
    each; 64, 32 and 23 in the paper.
    """

    source: str = "low"
    target: str = IMAGE
    width: int = Field(default=64, ge=1)
    growth: int = Field(default=32, ge=1)
    blocks: int = Field(default=23, ge=1, le=1000)


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees the maps of all before it; their last maps are added to what came in."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(width + index * growth, width if index == DENSE_LAYERS - 1 else growth, 3, padding=1)
            for index in range(DENSE_LAYERS)
        )
        small_weights(*(cast(nn.Conv2d, layer) for layer in self.layers))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        *hidden, last = self.layers
        seen = maps
        for layer in hidden:
            seen = torch.cat((seen, F.leaky_relu(layer(seen), SLOPE)), dim=1)
        return cast(Tensor, maps + RESIDUAL * last(seen))


class RRDB(nn.Module):
    """Three dense blocks in a residual one."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(width, growth) for _ in range(DENSE_BLOCKS)))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return cast(Tensor, maps + RESIDUAL * self.blocks(maps))


@NETWORKS.add("rrdb", RRDBSettings)
class RRDBNet(Translator):
    """(N, C, H, W) images in [-1, 1] to (N, C, factor H, factor W), of any size; not clipped.

    Layer by layer as RRDBNet of BasicSR, which Real-ESRGAN uses too: it always enlarges four times; for factors of 2 or
    1, blocks of 2 x 2 or 4 x 4 pixels become channels first. There, sizes must be multiples of that; here the edge is
    repeated up to the next multiple, and cut off again.
    """

    def __init__(self, settings: RRDBSettings, spec: DataSpec) -> None:
        super().__init__()
        self.source, self.target = settings.source, settings.target
        self.factor = enlarging_factor("RRDBNet", spec, self.source, self.target)
        if UPWARDS % self.factor:
            raise SettingsError(
                f"RRDBNet cannot enlarge {self.factor} times",
                code="enlarging-factor",
                expected="1, 2 or 4",
                found=str(self.factor),
                action="take another factor, or the network srresnet",
            )
        self.fold = UPWARDS // self.factor
        channels, width = image_field(spec, self.target).channels, settings.width
        self.first = nn.Conv2d(channels * self.fold**2, width, 3, padding=1)
        self.blocks = nn.Sequential(*(RRDB(width, settings.growth) for _ in range(settings.blocks)))
        self.after = nn.Conv2d(width, width, 3, padding=1)
        self.enlarge = nn.Sequential()
        for _ in range(2):
            self.enlarge.extend((DoublingConv(width, width), nn.LeakyReLU(SLOPE)))
        self.refine, self.last = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """The enlarged images."""
        height, width = images.shape[2:]
        images = F.pixel_unshuffle(_padded(images, self.fold), self.fold)
        maps = self.first(channels_last(images))
        maps = self.enlarge(maps + self.after(self.blocks(maps)))
        made: Tensor = self.last(F.leaky_relu(self.refine(maps), SLOPE))
        return made[:, :, : height * self.factor, : width * self.factor]


def _padded(images: Tensor, multiple: int) -> Tensor:
    height, width = images.shape[2:]
    below, right = -height % multiple, -width % multiple
    return F.pad(images, (0, right, 0, below), mode="replicate") if below or right else images
