"""FastGAN's discriminator as the authors run it: large images, and the same at 128 pixels (arXiv:2101.04775).

After models.py of FastGAN-pytorch; the paper describes one size and leaves out the gates.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import image_field
from ganops.networks.fastgan import Down, Excitation, Up
from ganops.networks.network import NETWORKS, ReconstructingDiscriminator, TwoSizesDiscriminator
from ganops.settings import Settings

SMALL, ENDS, DECODED = 128, 8, 128  # pixels of the smaller images, of the last maps and of reconstructions
DECODER_WIDTHS = (128, 64, 64, 32)
SLOPE = 0.2


class FastganTwoSizesSettings(Settings):
    """width: channels at 128 pixels; they double with each halving of the maps, to 16 times."""

    width: int = Field(default=64, ge=8)

    def at(self, size: int) -> int:
        """Channels at maps of this size, as the authors count it: from 512 on for the first maps of any image."""
        return min(self.width * 128 // size, 16 * self.width)


@NETWORKS.add("fastgan-two-sizes-discriminator", FastganTwoSizesSettings)
class FastganTwoSizesDiscriminator(TwoSizesDiscriminator):
    """(N, C, H, W) images of 256, 512 or 1024 pixels to (25 N,) logits of patches.

    Five halvings down to 8 pixels, the last three gated by maps that are 8 times as large. Two decoders: the whole
    image from the last maps, and a random quarter of it from those before. `small` sees the small images.
    """

    def __init__(self, settings: FastganTwoSizesSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        if image.size not in (256, 512, 1024):
            raise SettingsError(
                "this discriminator sees images of 256, 512 or 1024 pixels",
                code="unsupported-size",
                expected="256, 512 or 1024",
                found=str(image.size),
                action="set image_size in the recipe, or take the kind fastgan-discriminator",
            )
        widths = [settings.at(size) for size in (512, 256, 128, 64, 32, 16)]
        if image.size == 1024:
            first = [*_halving(image.channels, settings.at(1024), norm=False), *_halving(settings.at(1024), widths[0])]
        elif image.size == 512:
            first = _halving(image.channels, widths[0], norm=False)
        else:
            first = [_conv(image.channels, widths[0], 3, padding=1), nn.LeakyReLU(SLOPE)]
        self.first = nn.Sequential(*first)
        self.downs = nn.ModuleList(Down(*pair) for pair in pairwise(widths))
        self.gates = nn.ModuleList(
            Excitation(widths[level], widths[level + 3], 256 >> level) for level in range(len(widths) - 3)
        )
        self.shapes = (widths[5], ENDS, ENDS), (widths[4], 2 * ENDS, 2 * ENDS)  # of the last maps, and those before
        self.feature_count = sum(channels * size**2 for channels, size, _ in self.shapes)
        self.head = nn.Sequential(
            *(_conv(widths[5], settings.at(8), 1), nn.BatchNorm2d(settings.at(8)), nn.LeakyReLU(SLOPE)),
            _conv(settings.at(8), 1, 4),
        )
        self.whole, self.quarter = _decoder(widths[5], image.channels), _decoder(widths[4], image.channels)
        self.small = _SmallDiscriminator(settings, image.channels)
        self.small_size = SMALL

    def features(self, images: Tensor, _labels: Tensor | None = None) -> Tensor:
        """(N, feature_count): the last maps and those before, flattened."""
        maps = [self.first(images)]
        for level, down in enumerate(self.downs, start=1):
            after = down(maps[-1])
            maps.append(after if level < 3 else after * self.gates[level - 3](maps[level - 3]))
        return torch.cat([maps[5].flatten(1), maps[4].flatten(1)], dim=1)

    def logits(self, features: Tensor, _labels: Tensor | None = None) -> Tensor:
        """(25 N,): one for each patch of the last maps."""
        return cast(Tensor, self.head(self._maps(features)[0])).flatten()

    def reconstruct(self, features: Tensor, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The whole images, and one quarter of them, drawn for the batch."""
        last, before = self._maps(features)
        drawn = torch.randint(4, (), device=images.device)
        quarter, goal = (_quarters(each).index_select(0, drawn[None])[0] for each in (before, images))
        return [(self.whole(last), _resized(images)), (self.quarter(quarter), _resized(goal))]

    def _maps(self, features: Tensor) -> tuple[Tensor, Tensor]:
        last, before = torch.split(features, [channels * size**2 for channels, size, _ in self.shapes], dim=1)
        return last.view(-1, *self.shapes[0]), before.view(-1, *self.shapes[1])


class _SmallDiscriminator(ReconstructingDiscriminator):
    """(N, C, 128, 128) images to (25 N,) logits of patches, by plain halvings down to 8 pixels."""

    def __init__(self, settings: FastganTwoSizesSettings, channels: int) -> None:
        super().__init__()
        widths = [settings.at(size) for size in (256, 128, 64, 32)]
        layers = _halving(channels, widths[0], norm=False)
        for before, after in pairwise(widths):
            layers += _halving(before, after)
        self.layers = nn.Sequential(*layers)
        self.shape = (widths[-1], ENDS, ENDS)
        self.feature_count = widths[-1] * ENDS**2
        self.head, self.whole = _conv(widths[-1], 1, 4), _decoder(widths[-1], channels)

    def features(self, images: Tensor, _labels: Tensor | None = None) -> Tensor:
        """The last maps, flattened: (N, feature_count)."""
        return cast(Tensor, self.layers(images)).flatten(1)

    def logits(self, features: Tensor, _labels: Tensor | None = None) -> Tensor:
        """(25 N,): one for each patch of the last maps."""
        return cast(Tensor, self.head(features.view(-1, *self.shape))).flatten()

    def reconstruct(self, features: Tensor, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The whole images."""
        return [(self.whole(features.view(-1, *self.shape)), _resized(images))]


def _conv(before: int, after: int, size: int, stride: int = 1, padding: int = 0) -> nn.Module:
    return spectral_norm(nn.Conv2d(before, after, size, stride, padding, bias=False))


def _halving(before: int, after: int, *, norm: bool = True) -> list[nn.Module]:
    norms = [nn.BatchNorm2d(after)] if norm else []
    return [_conv(before, after, 4, stride=2, padding=1), *norms, nn.LeakyReLU(SLOPE)]


def _decoder(before: int, channels: int) -> nn.Sequential:
    """(N, before, 8, 8) maps to (N, channels, 128, 128) images."""
    widths = (before, *DECODER_WIDTHS)
    ups = [Up(*pair, noise=False) for pair in pairwise(widths)]
    return nn.Sequential(*ups, _conv(widths[-1], channels, 3, padding=1), nn.Tanh())


def _resized(images: Tensor) -> Tensor:
    """As large as a reconstruction, by the nearest pixels."""
    return F.interpolate(images, size=DECODED)


def _quarters(maps: Tensor) -> Tensor:
    """(N, C, H, W) to (4, N, C, H / 2, W / 2)."""
    return torch.stack([part for row in maps.chunk(2, dim=2) for part in row.chunk(2, dim=3)])
