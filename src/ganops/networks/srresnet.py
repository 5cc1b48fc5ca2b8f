"""SRResNet: residual blocks at low resolution, then pixel shuffles (Ledig et al. 2016, arXiv:1609.04802)."""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import image_field
from ganops.networks.enlarging import enlarging_factor, small_weights
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, Translator
from ganops.settings import Settings

SLOPE = 0.1  # of LeakyReLU


class SRResNetSettings(Settings):
    """source, target: names of the image fields; the target is 1, 2, 3, 4, 6, 8 ... times as large, of equal channels.

    width: channels of all maps; blocks: residual ones; 64 and 16 in the paper.
    """

    source: str = "low"
    target: str = IMAGE
    width: int = Field(default=64, ge=1)
    blocks: int = Field(default=16, ge=1, le=1000)


class ResidualBlock(nn.Module):
    """Two convolutions of 3 x 3 with a ReLU between, added to what came in; no normalisation (arXiv:1707.02921)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        small_weights(self.first, self.second)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return cast(Tensor, maps + self.second(F.relu(self.first(maps))))


@NETWORKS.add("srresnet", SRResNetSettings)
class SRResNet(Translator):
    """(N, C, H, W) images in [-1, 1] to (N, C, factor H, factor W), of any size; not clipped.

    Layer by layer as BasicSR's MSRResNet: without the paper's batch norms, convolutions of 9 x 9 and parametric ReLUs,
    and with the source, enlarged bilinearly, added to the output.
    """

    def __init__(self, settings: SRResNetSettings, spec: DataSpec) -> None:
        super().__init__()
        self.source, self.target = settings.source, settings.target
        self.factor = enlarging_factor("SRResNet", spec, self.source, self.target)
        channels, width = image_field(spec, self.target).channels, settings.width
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(settings.blocks)))
        self.enlarge = nn.Sequential()
        for step in steps_of(self.factor):
            convolution = nn.Conv2d(width, width * step**2, 3, padding=1)
            small_weights(convolution)
            self.enlarge.extend((convolution, nn.PixelShuffle(step), nn.LeakyReLU(SLOPE)))
        self.refine, self.last = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, channels, 3, padding=1)
        small_weights(self.first, self.refine, self.last)

    def forward(self, images: Tensor) -> Tensor:
        """The enlarged images."""
        maps = F.leaky_relu(self.first(channels_last(images)), SLOPE)
        maps = channels_last(self.enlarge(self.blocks(maps)))
        added = self.last(F.leaky_relu(self.refine(maps), SLOPE))
        base = F.interpolate(images, scale_factor=float(self.factor), mode="bilinear", align_corners=False)
        return cast(Tensor, base + added)


def steps_of(factor: int) -> list[int]:
    """The pixel shuffles that enlarge so many times, of 2 or 3 each; raises SettingsError where there are none."""
    found, left = list[int](), factor
    for step in (2, 3):
        while left % step == 0:
            found.append(step)
            left //= step
    if left != 1:
        raise SettingsError(
            f"SRResNet cannot enlarge {factor} times",
            code="enlarging-factor",
            expected="a product of twos and threes",
            found=str(factor),
        )
    return found
