"""The residual pair of SNGAN (Miyato et al. 2018, arXiv:1802.05957), with SAGAN's attention and projection's labels."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal, cast

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.networks.attention import AttentionSizes, attend, attention_at
from ganops.networks.conditioning import ConditionalBatchNorm2d
from ganops.networks.data_shapes import class_count_of, image_field, resolutions
from ganops.networks.heads import LogitHead
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, Discriminator, Generator
from ganops.networks.one_hot import one_hot
from ganops.networks.residual import DownBlock, Layers, UpBlock, norm_of
from ganops.networks.widths import Widths


class ResnetGeneratorSettings(Widths):
    """spectral: spectral norm here too, as in SAGAN. attention: sizes of the maps with self-attention.

    labels: 'norm' gives every class its own gains and biases in the batch norms.
    """

    latent_dim: int = Field(default=128, ge=1)
    spectral: bool = False
    attention: AttentionSizes = ()
    labels: Literal["none", "norm"] = "none"


@NETWORKS.add("resnet-generator", ResnetGeneratorSettings)
class ResnetGenerator(Generator):
    """Residual blocks that double the resolution: (N, latent_dim) latents to (N, C, H, W) images."""

    def __init__(self, settings: ResnetGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.latent_dim = settings.latent_dim
        self.class_count = class_count_of(spec) if settings.labels == "norm" else 0
        layers = Layers(settings.spectral)
        make_norm = partial(_class_norm, self.class_count) if self.class_count else nn.BatchNorm2d
        ladder = resolutions(image.size)
        self.smallest = ladder[0]
        widths = settings.of(ladder)
        self.start = layers.linear(settings.latent_dim, widths[0] * self.smallest**2)
        self.blocks = nn.ModuleList(UpBlock(*pair, layers, make_norm) for pair in pairwise(widths))
        self.attention = attention_at(settings.attention, image.size, dict(zip(ladder, widths, strict=True)), layers)
        self.norm = nn.BatchNorm2d(widths[-1])
        self.image = layers.conv(widths[-1], image.channels, 3)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate one image per latent, of the class of its label."""
        condition = None
        if self.class_count and labels is not None:
            condition = one_hot(labels, self.class_count, latents.dtype)
        maps = channels_last(self.start(latents).view(latents.shape[0], -1, self.smallest, self.smallest))
        for block in self.blocks:
            maps = block(attend(self.attention, maps), condition)
        maps = attend(self.attention, maps)
        return cast(Tensor, self.image(F.relu(norm_of(self.norm, maps, None)))).tanh()


class ResnetDiscriminatorSettings(Widths):
    """smallest: blocks halve the maps until they have at most this size; flat: blocks after these.

    widths, where they are given: of the blocks that halve, and of those after them. attention: sizes of the maps with
    self-attention, at most half the image's. wide: blocks are widest inside (BigGAN), not at their end.
    labels: 'projection' on the class's embedding. start: initial weights.
    """

    width: int = Field(default=128, ge=1)
    smallest: int = Field(default=8, ge=3)
    flat: int = Field(default=2, ge=0, le=1000)
    wide: bool = False
    spectral: bool = True
    attention: AttentionSizes = ()
    start: Literal["xavier", "normal", "orthogonal"] = "xavier"
    labels: Literal["none", "projection"] = "none"


@NETWORKS.add("resnet-discriminator", ResnetDiscriminatorSettings)
class ResnetDiscriminator(Discriminator):
    """Residual blocks that halve the resolution, summed over the remaining positions: (N, C, H, W) to (N,) logits."""

    def __init__(self, settings: ResnetDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.class_count = class_count_of(spec) if settings.labels == "projection" else 0
        layers = Layers(settings.spectral, settings.start)
        ladder = resolutions(image.size)
        halvings = sum(size > settings.smallest for size in ladder[1:])
        sizes = ladder[len(ladder) - 1 - halvings :]  # of the maps between the blocks
        widths = settings.of(sizes)
        attention = attention_at(settings.attention, image.size, dict(zip(sizes[:-1], widths[1:], strict=True)), layers)
        channels: int = image.channels
        blocks = list[nn.Module]()
        for index in range(halvings + settings.flat):  # from the image on: the last width first
            after = widths[-1 - min(index, halvings)]
            hidden = after if settings.wide or index == 0 else channels
            blocks.append(DownBlock(channels, after, hidden, layers, down=index < halvings, first=index == 0))
            if index < halvings and str(sizes[-2 - index]) in attention:
                blocks.append(attention[str(sizes[-2 - index])])
            channels = after
        self.layers = nn.Sequential(*blocks)
        self.feature_count = channels
        self.head = LogitHead(channels, self.class_count, layers.linear, layers.embedding)

    def features(self, images: Tensor, _labels: Tensor | None = None) -> Tensor:
        """(N, feature_count): the last maps, summed over their pixels."""
        return F.relu(cast(Tensor, self.layers(images))).sum(dim=(2, 3))


def _class_norm(class_count: int, channels: int) -> ConditionalBatchNorm2d:
    """Batch norm with a gain and a bias for each class, which start at 1 and 0."""
    gain, bias = (nn.Linear(class_count, channels, bias=False) for _ in range(2))
    for part in (gain, bias):
        nn.init.zeros_(part.weight)
    return ConditionalBatchNorm2d(channels, gain, bias)
