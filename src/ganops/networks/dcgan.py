"""The strided convolutional pair of DCGAN (Radford et al. 2015, arXiv:1511.06434)."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.networks.network import NETWORKS, Discriminator, Generator, dcgan_initial_weights, resolutions
from ganops.settings import Settings


class DcganGeneratorSettings(Settings):
    """width: channels of the last hidden layer; they double with every halving of the resolution."""

    latent_dim: int = Field(default=100, ge=1)
    width: int = Field(default=64, ge=1)


@NETWORKS.add("dcgan-generator", DcganGeneratorSettings)
class DcganGenerator(Generator):
    """Transposed convolutions with batch norm and ReLU, tanh at the end: (N, latent_dim) to (N, C, H, W)."""

    def __init__(self, settings: DcganGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        self.latent_dim = settings.latent_dim
        first, *rest = resolutions(spec.image_size)
        channels = settings.width * 2 ** (len(rest) - 1)
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(settings.latent_dim, channels, first, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
        for _ in rest[:-1]:
            layers += [
                nn.ConvTranspose2d(channels, channels // 2, 4, 2, 1, bias=False),
                nn.BatchNorm2d(channels // 2),
                nn.ReLU(),
            ]
            channels //= 2
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(channels, spec.channels, 4, 2, 1), nn.Tanh())
        self.apply(dcgan_initial_weights)

    def forward(self, latents: Tensor, _labels: Tensor | None = None) -> Tensor:
        """Make one image per latent."""
        return cast(Tensor, self.layers(latents[:, :, None, None]))


class DcganDiscriminatorSettings(Settings):
    """width: channels of the first layer; norm: "batch", or "none" as a critic with a gradient penalty needs it."""

    width: int = Field(default=64, ge=1)
    norm: Literal["batch", "none"] = "batch"
    slope: float = Field(default=0.2, ge=0)


@NETWORKS.add("dcgan-discriminator", DcganDiscriminatorSettings)
class DcganDiscriminator(Discriminator):
    """Strided convolutions with LeakyReLU, batch norm on all but the first: (N, C, H, W) to (N,) logits."""

    def __init__(self, settings: DcganDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        first, *rest = resolutions(spec.image_size)
        batch_norm = settings.norm == "batch"
        channels, layers = spec.channels, list[nn.Module]()
        for index in range(len(rest)):
            after = settings.width * 2**index
            normed = batch_norm and index > 0
            layers.append(nn.Conv2d(channels, after, 4, 2, 1, bias=not normed))
            if normed:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(settings.slope))
            channels = after
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, first))
        self.apply(dcgan_initial_weights)

    def forward(self, images: Tensor, _labels: Tensor | None = None) -> Tensor:
        """One logit per image."""
        return cast(Tensor, self.layers(images)).flatten()
