"""The fully connected pair of the first GANs (Goodfellow et al. 2014, arXiv:1406.2661)."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import cast

from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.networks.network import NETWORKS, Discriminator, Generator
from ganops.settings import Settings


class MlpGeneratorSettings(Settings):
    """Hidden layers from the latent outwards; norm_momentum is PyTorch's (the share of the newest batch)."""

    latent_dim: int = Field(default=100, ge=1)
    widths: tuple[int, ...] = Field(default=(128, 256, 512), min_length=1)
    norm: bool = True
    norm_momentum: float = Field(default=0.1, gt=0, le=1)
    slope: float = Field(default=0.2, ge=0)


@NETWORKS.add("mlp-generator", MlpGeneratorSettings)
class MlpGenerator(Generator):
    """Latents through LeakyReLU layers, batch norm after all but the first, tanh: (N, latent_dim) to (N, C, H, W)."""

    def __init__(self, settings: MlpGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        self.latent_dim, self.shape = settings.latent_dim, spec.shape
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(pairwise((settings.latent_dim, *settings.widths))):
            layers.append(nn.Linear(before, after))
            if settings.norm and index > 0:
                layers.append(nn.BatchNorm1d(after, momentum=settings.norm_momentum))
            layers.append(nn.LeakyReLU(settings.slope))
        self.layers = nn.Sequential(*layers, nn.Linear(settings.widths[-1], prod(spec.shape)), nn.Tanh())

    def forward(self, latents: Tensor, _labels: Tensor | None = None) -> Tensor:
        """Make one image per latent."""
        return cast(Tensor, self.layers(latents)).view(-1, *self.shape)


class MlpDiscriminatorSettings(Settings):
    """Hidden layers from the image inwards; dropout is the share of units dropped while training."""

    widths: tuple[int, ...] = Field(default=(512, 256), min_length=1)
    slope: float = Field(default=0.2, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)


@NETWORKS.add("mlp-discriminator", MlpDiscriminatorSettings)
class MlpDiscriminator(Discriminator):
    """LeakyReLU layers down to one logit: (N, C, H, W) to (N,)."""

    def __init__(self, settings: MlpDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise((prod(spec.shape), *settings.widths)):
            layers += [nn.Linear(before, after), nn.LeakyReLU(settings.slope)]
            if settings.dropout:
                layers.append(nn.Dropout(settings.dropout))
        self.layers = nn.Sequential(*layers, nn.Linear(settings.widths[-1], 1))

    def forward(self, images: Tensor, _labels: Tensor | None = None) -> Tensor:
        """One logit per image."""
        return cast(Tensor, self.layers(images)).squeeze(1)
