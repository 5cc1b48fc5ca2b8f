"""BigGAN's generator (Brock et al. 2018, arXiv:1809.11096); its discriminator is `resnet-discriminator` with `wide`."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.networks.conditioning import ConditionalBatchNorm2d
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, Generator, class_count_of, image_field, resolutions
from ganops.networks.residual import Layers, ResnetWidths, SelfAttention, UpBlock


class BigganGeneratorSettings(ResnetWidths):
    """embedding_dim: of the class embedding all batch norms share. attention: at half the image's size.

    start: initial weights; 'orthogonal' in the paper, 'normal' in the authors' settings for CIFAR-10.
    """

    width: int = 64
    latent_dim: int = Field(default=120, ge=1)
    embedding_dim: int = Field(default=128, ge=1)
    attention: bool = True
    start: Literal["normal", "orthogonal"] = "orthogonal"


@NETWORKS.add("biggan-generator", BigganGeneratorSettings)
class BigganGenerator(Generator):
    """The latent is split: one piece starts the image, each block's batch norms use another together with the class."""

    def __init__(self, settings: BigganGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.latent_dim, self.class_count = settings.latent_dim, class_count_of(spec)
        layers = Layers(spectral=True, start=settings.start)
        ladder = resolutions(image.size)
        self.smallest, self.pieces = ladder[0], len(ladder)
        sizes = [len(piece) for piece in torch.arange(self.latent_dim, device="cpu").tensor_split(self.pieces)]
        widths = [settings.at(halvings) for halvings in reversed(range(len(ladder)))]
        self.embedding = nn.Embedding(self.class_count, settings.embedding_dim)
        nn.init.normal_(self.embedding.weight, 0.0, 0.02)
        self.start = layers.linear(sizes[0], widths[0] * self.smallest**2)
        self.blocks = nn.ModuleList(
            UpBlock(*pair, layers, partial(_norm, settings.embedding_dim + size, layers))
            for pair, size in zip(pairwise(widths), sizes[1:], strict=True)
        )
        self.attention = SelfAttention(widths[-2], layers) if settings.attention else nn.Identity()
        self.norm = nn.BatchNorm2d(widths[-1])
        self.image = layers.conv(widths[-1], image.channels, 3)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate one image per latent, of the class of its label."""
        first, *rest = latents.tensor_split(self.pieces, dim=1)
        embedded = self.embedding(labels)
        conditions = [torch.cat((embedded, piece), dim=1) for piece in rest]
        maps = channels_last(self.start(first).view(len(latents), -1, self.smallest, self.smallest))
        for block, condition in zip(self.blocks[:-1], conditions, strict=False):
            maps = block(maps, condition)
        maps = self.blocks[-1](self.attention(maps), conditions[-1])
        return cast(Tensor, self.image(F.relu(self.norm(maps)))).tanh()


def _norm(condition: int, layers: Layers, channels: int) -> ConditionalBatchNorm2d:
    gain, bias = (layers.linear(condition, channels, bias=False) for _ in range(2))
    return ConditionalBatchNorm2d(channels, gain, bias)
