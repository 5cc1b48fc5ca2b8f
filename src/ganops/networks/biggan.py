"""BigGAN's generator (Brock et al. 2018, arXiv:1809.11096); its discriminator is `resnet-discriminator` with `wide`."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from math import erfc, sqrt
from typing import ClassVar, Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.devices import in_float64
from ganops.networks.attention import AttentionSizes, attend, attention_at
from ganops.networks.conditioning import ConditionalBatchNorm2d
from ganops.networks.data_shapes import class_count_of, image_field, resolutions
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, Generator
from ganops.networks.residual import Layers, UpBlock
from ganops.networks.widths import Widths


class BigganGeneratorSettings(Widths):
    """embedding_dim: of the class embedding all batch norms share. attention: sizes of the maps with self-attention.

    truncation: most that a number of the latents of samples may be away from 0; null: they stay normal. It trades the
    variety of samples for their quality (section 3.1) and changes nothing in training.

    start: initial weights; 'orthogonal' in the paper, 'normal' in the authors' settings for CIFAR-10.
    """

    width: int = Field(default=64, ge=1)
    latent_dim: int = Field(default=120, ge=1)
    embedding_dim: int = Field(default=128, ge=1)
    attention: AttentionSizes = ()
    truncation: float | None = Field(default=None, gt=0)
    start: Literal["normal", "orthogonal"] = "orthogonal"


@NETWORKS.add("biggan-generator", BigganGeneratorSettings)
class BigganGenerator(Generator):
    """The latent is split: one piece starts the image, each block's batch norms use another together with the class."""

    truncation_range: ClassVar[tuple[float, float]] = (0.05, 2.0)

    def __init__(self, settings: BigganGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.latent_dim, self.class_count = settings.latent_dim, class_count_of(spec)
        self.truncation = settings.truncation
        layers = Layers(spectral=True, start=settings.start)
        ladder = resolutions(image.size)
        self.smallest, self.pieces = ladder[0], len(ladder)
        sizes = [len(piece) for piece in torch.arange(self.latent_dim, device="cpu").tensor_split(self.pieces)]
        widths = settings.of(ladder)
        self.embedding = nn.Embedding(self.class_count, settings.embedding_dim)
        nn.init.normal_(self.embedding.weight, 0.0, 0.02)
        self.start = layers.linear(sizes[0], widths[0] * self.smallest**2)
        self.blocks = nn.ModuleList(
            UpBlock(*pair, layers, partial(_norm, settings.embedding_dim + size, layers))
            for pair, size in zip(pairwise(widths), sizes[1:], strict=True)
        )
        self.attention = attention_at(settings.attention, image.size, dict(zip(ladder, widths, strict=True)), layers)
        self.norm = nn.BatchNorm2d(widths[-1])
        self.image = layers.conv(widths[-1], image.channels, 3)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate one image per latent, of the class of its label."""
        if self.truncation is not None and not self.training:
            latents = truncated(latents, self.truncation)
        first, *rest = latents.tensor_split(self.pieces, dim=1)
        embedded = self.embedding(labels)
        conditions = [torch.cat((embedded, piece), dim=1) for piece in rest]
        maps = channels_last(self.start(first).view(latents.shape[0], -1, self.smallest, self.smallest))
        for block, condition in zip(self.blocks, conditions, strict=True):
            maps = block(attend(self.attention, maps), condition)
        maps = attend(self.attention, maps)
        return cast(Tensor, self.image(F.relu(self.norm(maps)))).tanh()


def truncated(latents: Tensor, most: float) -> Tensor:
    """Standard normal latents as normal ones within [-most, most]: each keeps its quantile, so no draw is needed."""
    below = erfc(most / sqrt(2)) / 2
    share = below + torch.special.ndtr(in_float64(latents)) * (1 - 2 * below)
    return cast(Tensor, torch.special.ndtri(share)).to(latents)


def _norm(condition: int, layers: Layers, channels: int) -> ConditionalBatchNorm2d:
    gain, bias = (layers.linear(condition, channels, bias=False) for _ in range(2))
    return ConditionalBatchNorm2d(channels, gain, bias)
