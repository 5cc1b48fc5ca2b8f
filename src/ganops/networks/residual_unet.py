"""A U-Net for restoration: it starts at full resolution, and what it computes is added to its source."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.fields.image import luma
from ganops.data.spec import IMAGE, DataSpec
from ganops.networks.data_shapes import check_equal_sizes, image_field, resolutions
from ganops.networks.enlarging import small_weights
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, Translator
from ganops.networks.srresnet import ResidualBlock
from ganops.settings import Settings


class ResidualUnetSettings(Settings):
    """source, target: names of the image fields that it is built for: of equal size, with 1 or 3 channels.

    width: channels at full resolution; they double with every halving of the resolution, to max_width.
    blocks: residual ones at each resolution, on the way down and again on the way up.
    """

    source: str = "source"
    target: str = IMAGE
    width: int = Field(default=32, ge=1)
    max_width: int = Field(default=256, ge=1)
    blocks: int = Field(default=1, ge=1, le=100)


@NETWORKS.add("residual-unet", ResidualUnetSettings)
class ResidualUnet(Translator):
    """(N, C, H, W) source images to (N, C', H, W) target images, both in [-1, 1]; outputs are not clipped.

    A network that adds to its source learns what is wrong with the picture and leaves the rest as it is (DnCNN: Zhang
    et al. 2017, arXiv:1608.03981). The shape is that of NAFNet (Chen et al. 2022, arXiv:2204.04676), with plain
    residual blocks: strided convolutions down to 3..8 pixels, and maps of equal resolution added on the way up. No
    layer normalises, so the contrast of a picture is kept. A grey source is added to all channels of a colour target.
    """

    def __init__(self, settings: ResidualUnetSettings, spec: DataSpec) -> None:
        super().__init__()
        self.source, self.target = settings.source, settings.target
        source, target = image_field(spec, settings.source), image_field(spec, settings.target)
        check_equal_sizes("a residual U-Net", source, target)
        levels = len(resolutions(source.size))
        widths = [min(settings.width * 2**level, settings.max_width) for level in range(levels)]
        pairs = list(pairwise(widths))
        self.first = nn.Conv2d(self.input_channels(source.channels), widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(_blocks(width, settings.blocks) for width in widths)
        self.down = nn.ModuleList(nn.Conv2d(before, after, 2, 2) for before, after in pairs)
        self.up = nn.ModuleList(nn.Conv2d(after, before, 1) for before, after in pairs)
        self.decoder = nn.ModuleList(_blocks(width, settings.blocks) for width in widths[:-1])
        self.last = nn.Conv2d(widths[0], target.channels, 3, padding=1)
        small_weights(self.last)

    def forward(self, images: Tensor) -> Tensor:
        """The target of each source."""
        added = self.added(images)
        return (luma(images) if added.shape[1] < images.shape[1] else images) + added

    def input_channels(self, source: int) -> int:
        """Of what the first convolution is given."""
        return source

    def added(self, images: Tensor) -> Tensor:
        """(N, input_channels, H, W) to (N, C', H, W): what is added to the source."""
        maps, skips = self.first(channels_last(images)), list[Tensor]()
        for blocks, down in zip(self.encoder, self.down, strict=False):
            maps = blocks(maps)
            skips.append(maps)
            maps = down(maps)
        maps = self.encoder[-1](maps)
        for blocks, up in zip(reversed(self.decoder), reversed(self.up), strict=True):
            # Repeating pixels and a convolution of 1 x 1 commute; in this order it has a quarter of the work.
            maps = blocks(skips.pop() + F.interpolate(up(maps), scale_factor=2))
        return cast(Tensor, self.last(maps))


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width) for _ in range(count)))
