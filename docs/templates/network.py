"""NAME of the architecture (authors, year, arXiv number). Copy to src/ganops/networks/, rename, fill in.

The file is found by the kind that it adds; a recipe's `networks.NAME.kind` selects it. Nothing else has to change.
"""

from __future__ import annotations

from math import prod
from typing import cast

from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.networks.data_shapes import target_field
from ganops.networks.network import NETWORKS, Generator
from ganops.settings import Settings


class TemplateGeneratorSettings(Settings):
    """The keys of a recipe, each with its default and bounds; others are refused by name."""

    latent_dim: int = Field(default=64, ge=1)
    width: int = Field(default=128, ge=1)


@NETWORKS.add("template-generator", TemplateGeneratorSettings)
class TemplateGenerator(Generator):
    """What the layers are: (N, latent_dim) latents to (N, *shape) rows of the data's first field, in [-1, 1].

    A network for images only takes `image_field(spec)`, which has `size` and `channels`. A discriminator derives from
    Discriminator and defines `features`, `logits` and `feature_count` instead of `forward`.
    """

    def __init__(self, settings: TemplateGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        self.latent_dim, self.shape = settings.latent_dim, target_field(spec).shape
        self.layers = nn.Sequential(
            nn.Linear(settings.latent_dim, settings.width),
            nn.ReLU(),
            nn.Linear(settings.width, prod(self.shape)),
            nn.Tanh(),
        )

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate one row per latent; state that must survive a restart belongs into buffers."""
        del labels  # a generator that takes labels sets class_count in __init__
        return cast(Tensor, self.layers(latents)).view(-1, *self.shape)
