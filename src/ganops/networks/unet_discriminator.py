"""The discriminator of Real-ESRGAN: a U-Net with spectral norms and a logit for every pixel (arXiv:2107.10833, 3.4)."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import image_field
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, PatchDiscriminator
from ganops.settings import Settings

SLOPE = 0.2  # of LeakyReLU


class UNetDiscriminatorSettings(Settings):
    """target: name of the image field that it judges. width: channels at full resolution, doubled by each of
    `halvings`; 64 and 3 in the paper.
    """

    target: str = IMAGE
    width: int = Field(default=64, ge=1)
    halvings: int = Field(default=3, ge=1, le=6)


@NETWORKS.add("unet-discriminator", UNetDiscriminatorSettings)
class UNetDiscriminator(PatchDiscriminator):
    """None and (N, C, H, W) target images in [-1, 1] to (N, 1, H, W) logits, larger where a pixel looks real.

    Layer by layer as UNetDiscriminatorSN of Real-ESRGAN, where it halves three times.
    """

    source = None

    def __init__(self, settings: UNetDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        self.target = settings.target
        image, width = image_field(spec, settings.target), settings.width
        if image.size % 2**settings.halvings:
            raise SettingsError(
                f"images of {image.size} pixels cannot be halved {settings.halvings} times",
                code="image-size",
                expected=f"a multiple of {2**settings.halvings}",
                found=str(image.size),
                action="set halvings lower, or image_size in the recipe",
            )
        self.first = nn.Conv2d(image.channels, width, 3, padding=1)
        widths = [width * 2**halving for halving in range(settings.halvings + 1)]
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(
            spectral_norm(nn.Conv2d(before, after, 4, 2, 1, bias=False)) for before, after in pairs
        )
        self.up = nn.ModuleList(_smooth(after, before) for before, after in reversed(pairs))
        self.refine = nn.ModuleList(_smooth(width, width) for _ in range(2))
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, _source: Tensor | None, target: Tensor) -> Tensor:
        """A logit for each pixel of each target."""
        maps = F.leaky_relu(self.first(channels_last(target)), SLOPE)
        skipped = list[Tensor]()
        for layer in self.down:
            skipped.append(maps)
            maps = F.leaky_relu(layer(maps), SLOPE)
        for layer in self.up:
            maps = F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
            maps = F.leaky_relu(layer(maps), SLOPE) + skipped.pop()
        for layer in self.refine:
            maps = F.leaky_relu(layer(maps), SLOPE)
        return cast(Tensor, self.last(maps))


def _smooth(before: int, after: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(before, after, 3, padding=1, bias=False))
