"""FastGAN's light pair for few images (Liu et al. 2021, arXiv:2101.04775)."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import image_field, resolutions
from ganops.networks.heads import LogitHead
from ganops.networks.maps import flatten_maps, unflatten_maps
from ganops.networks.network import NETWORKS, ReconstructingDiscriminator, TwoSizesGenerator
from ganops.networks.resampling import DoublingConv
from ganops.networks.widths import Widths

MOST_SKIPPED = 4  # doublings between the two maps of an excitation, as in the paper's 8 to 128 pixels


class FastganGeneratorSettings(Widths):
    """width: channels next to the image. latent_dim: length of the noise.

    twice: sizes of the maps that two convolutions make; the others are made by one. second: pixels of smaller images
    that are made as well, for a discriminator of two sizes; null: none.
    """

    width: int = Field(default=32, ge=1)
    growth: Literal[1, 2] = 2
    max_width: int = Field(default=512, ge=1)
    twice: tuple[PositiveInt, ...] = ()
    second: int | None = None
    latent_dim: int = Field(default=256, ge=1)


@NETWORKS.add("fastgan-generator", FastganGeneratorSettings)
class FastganGenerator(TwoSizesGenerator):
    """One or two convolutions per resolution, gated by maps of a much smaller resolution (skip-layer excitation)."""

    def __init__(self, settings: FastganGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.latent_dim = settings.latent_dim
        ladder = resolutions(image.size)
        widths = settings.of(ladder)
        self.start = nn.Sequential(
            spectral_norm(nn.ConvTranspose2d(settings.latent_dim, 2 * widths[0], ladder[0], bias=False)),
            nn.BatchNorm2d(2 * widths[0]),
            Gated(),
        )
        self.ups = nn.ModuleList(
            nn.Sequential(Up(before, after), *([_Same(after, after)] if size in settings.twice else []))
            for size, (before, after) in zip(ladder[1:], pairwise(widths), strict=True)
        )
        self.skipped = max(1, min(MOST_SKIPPED, len(ladder) - 2))
        self.excitations = nn.ModuleList(
            Excitation(widths[small], widths[small + self.skipped], ladder[small])
            for small in range(len(ladder) - self.skipped)
        )
        self.image = spectral_norm(nn.Conv2d(widths[-1], image.channels, 3, padding=1))
        self.second = settings.second
        if self.second is not None:
            if self.second not in ladder[:-1]:
                raise SettingsError(
                    f"the generator has no maps of {self.second} pixels",
                    code="unsupported-size",
                    expected=f"second: one of {', '.join(map(str, ladder[:-1]))}, or null",
                    found=str(self.second),
                )
            self.second_level = ladder.index(self.second)
            width = widths[self.second_level]
            self.second_image = spectral_norm(nn.Conv2d(width, image.channels, 1, bias=False))

    def forward(self, latents: Tensor, _labels: Tensor | None = None) -> Tensor:
        """Generate one image per latent."""
        return torch.tanh(self.image(self._maps(latents)[-1]))

    def both(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and the images of `second` pixels."""
        maps = self._maps(latents)
        return torch.tanh(self.image(maps[-1])), torch.tanh(self.second_image(maps[self.second_level]))

    def _maps(self, latents: Tensor) -> list[Tensor]:
        maps = [self.start(latents[:, :, None, None])]
        for level, up in enumerate(self.ups, start=1):
            after = up(maps[-1])
            if level >= self.skipped:
                after = after * self.excitations[level - self.skipped](maps[level - self.skipped])
            maps.append(after)
        return maps


class FastganDiscriminatorSettings(Widths):
    """width: channels next to the image."""

    width: int = Field(default=32, ge=1)
    growth: Literal[1, 2] = 2
    max_width: int = Field(default=512, ge=1)


@NETWORKS.add("fastgan-discriminator", FastganDiscriminatorSettings)
class FastganDiscriminator(ReconstructingDiscriminator):
    """Residual halvings down to the smallest maps, from which come the logit and a reconstruction of the image."""

    def __init__(self, settings: FastganDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        ladder = resolutions(image.size)
        widths = list(reversed(settings.of(ladder)))
        self.first = nn.Sequential(spectral_norm(nn.Conv2d(image.channels, widths[0], 3, padding=1)), nn.LeakyReLU(0.2))
        self.downs = nn.Sequential(*(Down(before, after) for before, after in pairwise(widths)))
        self.smallest = ladder[0]
        self.feature_count = widths[-1] * ladder[0] ** 2
        self.head = LogitHead(self.feature_count, 0, lambda before, after: spectral_norm(nn.Linear(before, after)))
        decoder = [Up(before, after) for before, after in pairwise(list(reversed(widths))[:-1])]
        self.decoder = nn.Sequential(*decoder, nn.Conv2d(widths[1], image.channels, 3, padding=1), nn.Tanh())

    def features(self, images: Tensor, _labels: Tensor | None = None) -> Tensor:
        """The smallest maps, flattened: (N, feature_count)."""
        return flatten_maps(self.downs(self.first(images)))

    def reconstruct(self, features: Tensor, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Images of half the size."""
        return [(self.decoder(unflatten_maps(features, self.smallest)), F.avg_pool2d(images, 2))]


class _GatedConv(nn.Module):
    """A convolution with noise, batch norm and a gated linear unit."""

    def __init__(self, conv: nn.Conv2d, *, noise: bool) -> None:
        super().__init__()
        self.conv = spectral_norm(conv)
        self.norm = nn.BatchNorm2d(conv.out_channels)
        self.gate = Gated()
        self.noise_share = nn.Parameter(torch.zeros(())) if noise else None

    def forward(self, maps: Tensor) -> Tensor:
        maps = self.conv(maps)
        if self.training and self.noise_share is not None:
            maps = maps + self.noise_share * torch.randn_like(maps[:, :1])
        return cast(Tensor, self.gate(self.norm(maps)))


class _Same(_GatedConv):
    """(N, before, H, W) to (N, after, H, W)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(nn.Conv2d(before, 2 * after, 3, padding=1, bias=False), noise=True)


class Up(_GatedConv):
    """(N, before, H, W) to (N, after, 2 H, 2 W)."""

    def __init__(self, before: int, after: int, *, noise: bool = True) -> None:
        super().__init__(DoublingConv(before, 2 * after, bias=False), noise=noise)


class Gated(nn.Module):
    """A gated linear unit: one half of the channels gates the other; unlike `F.glu`, with a channels-last gradient."""

    def forward(self, maps: Tensor) -> Tensor:
        """(N, 2 C, H, W) to (N, C, H, W)."""
        values, gates = maps.chunk(2, dim=1)
        return values * gates.sigmoid()


class Excitation(nn.Module):
    """Gates in (0, 1) for the channels of large maps, from small maps (section 3.1)."""

    def __init__(self, before: int, after: int, size: int) -> None:
        super().__init__()
        self.pool = size // 7 if size % 7 == 0 else max(size // 4, 1)
        self.gates = nn.Sequential(
            spectral_norm(nn.Conv2d(before, after, size // self.pool, bias=False)),
            nn.SiLU(),
            spectral_norm(nn.Conv2d(after, after, 1, bias=False)),
            nn.Sigmoid(),
        )

    def forward(self, small: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, 1, 1)."""
        return cast(Tensor, self.gates(F.avg_pool2d(small, self.pool)))


class Down(nn.Module):
    """Half the resolution by two convolutions, and by pooling and one; the mean of both."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            spectral_norm(nn.Conv2d(before, after, 4, 2, 1, bias=False)),
            nn.BatchNorm2d(after),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(after, after, 3, padding=1, bias=False)),
            nn.BatchNorm2d(after),
            nn.LeakyReLU(0.2),
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2),
            spectral_norm(nn.Conv2d(before, after, 1, bias=False)),
            nn.BatchNorm2d(after),
            nn.LeakyReLU(0.2),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H / 2, W / 2)."""
        return cast(Tensor, self.main(maps) + self.shortcut(maps)) / 2
