"""R3GAN's pair: ResNeXt-like blocks without any norm (Huang et al. 2025, arXiv:2501.05441, section 4)."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.networks.data_shapes import class_count_of, image_field, resolutions
from ganops.networks.heads import LogitHead
from ganops.networks.low_pass import Downsample, Upsample
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, Discriminator, Generator
from ganops.networks.widths import Widths

SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # keeps the variance through a LeakyReLU of this slope


class R3ganSettings(Widths):
    """blocks: residual blocks per stage, one stage for each size of the maps.

    group_width: channels per group of a block's inner convolution; expansion: how much wider the inner maps are.
    labels: whether the class is used, by an embedding joined to the latent or projected on the features.
    """

    width: int = Field(default=768, ge=1)
    growth: Literal[1] = 1
    blocks: int = Field(default=2, ge=1, le=1000)
    group_width: int = Field(default=16, ge=1)
    expansion: int = Field(default=2, ge=1)
    labels: bool = False

    @model_validator(mode="after")
    def _groups_fit(self) -> R3ganSettings:
        for width in self.widths or (self.width,):
            if width * self.expansion % self.group_width:
                raise ValueError(f"group_width: must be a divisor of width times expansion ({width * self.expansion})")
        return self


class R3ganGeneratorSettings(R3ganSettings):
    """As R3ganSettings, with the length of the noise and of the class's embedding."""

    latent_dim: int = Field(default=64, ge=1)
    embedding_dim: int = Field(default=32, ge=1)


@NETWORKS.add("r3gan-generator", R3ganGeneratorSettings)
class R3ganGenerator(Generator):
    """A learned basis scaled by the latent, then stages of blocks, each at twice the resolution of the one before."""

    def __init__(self, settings: R3ganGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.latent_dim = settings.latent_dim
        self.class_count = class_count_of(spec) if settings.labels else 0
        self.embedding = _embedding(self.class_count, settings.embedding_dim) if self.class_count else None
        ladder = resolutions(image.size)
        widths = settings.of(ladder)
        self.basis = nn.Parameter(torch.randn(widths[0], ladder[0], ladder[0]))
        inputs = settings.latent_dim + (settings.embedding_dim if self.class_count else 0)
        self.start = nn.Linear(inputs, widths[0], bias=False)
        nn.init.normal_(self.start.weight, 0.0, inputs**-0.5)
        self.stages = nn.ModuleList(_stage(settings, width, len(ladder)) for width in widths)
        self.transitions = nn.ModuleList(_transition(before, after) for before, after in pairwise(widths))
        self.upsample = Upsample()
        self.image = _conv(widths[-1], image.channels, 1)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate one image per latent; in training not clipped, so that gradients pass everywhere."""
        if self.embedding is not None:
            latents = torch.cat((latents, self.embedding(labels)), dim=1)
        maps = channels_last(self.basis * self.start(latents)[:, :, None, None])
        for index, stage in enumerate(self.stages):
            maps = stage(maps if index == 0 else self.upsample(self.transitions[index - 1](maps)))
        images = cast(Tensor, self.image(maps))
        return images if self.training else images.clamp(-1, 1)


class R3ganDiscriminatorSettings(R3ganSettings):
    """As R3ganSettings."""


@NETWORKS.add("r3gan-discriminator", R3ganDiscriminatorSettings)
class R3ganDiscriminator(Discriminator):
    """The generator's mirror image: (N, C, H, W) to (N,) logits."""

    def __init__(self, settings: R3ganDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.class_count = class_count_of(spec) if settings.labels else 0
        ladder = resolutions(image.size)
        widths = list(reversed(settings.of(ladder)))
        self.first = _conv(image.channels, widths[0], 1)
        self.stages = nn.ModuleList(_stage(settings, width, len(ladder)) for width in widths)
        self.transitions = nn.ModuleList(_transition(before, after) for before, after in pairwise(widths))
        self.downsample = Downsample()
        self.feature_count = widths[-1]
        self.basis = nn.Conv2d(widths[-1], widths[-1], ladder[0], groups=widths[-1], bias=False)
        nn.init.normal_(self.basis.weight, 0.0, 1 / ladder[0])
        self.head = LogitHead(widths[-1], self.class_count, make_embedding=partial(_embedding, gain=widths[-1] ** -0.5))

    def features(self, images: Tensor, _labels: Tensor | None = None) -> Tensor:
        """(N, feature_count): the inner product of each channel with its learned basis."""
        maps = channels_last(self.first(images))
        for index, stage in enumerate(self.stages):
            maps = stage(maps if index == 0 else self.transitions[index - 1](self.downsample(maps)))
        return cast(Tensor, self.basis(maps)).flatten(1)


class _Block(nn.Module):
    """Widen, convolve in groups, narrow, added to the input; starts as the identity (Fix-up, arXiv:1901.09321)."""

    def __init__(self, settings: R3ganSettings, width: int, depth: int) -> None:
        super().__init__()
        inner = width * settings.expansion
        gain = GAIN * depth**-0.25  # the power is -1 / (2 m - 2) for blocks of m = 3 layers, depth blocks in all
        self.widen = _conv(width, inner, 1, gain)
        self.grouped = _conv(inner, inner, 3, gain, groups=inner // settings.group_width)
        self.narrow = _conv(inner, width, 1, gain=0.0)
        self.first_bias, self.second_bias = (nn.Parameter(torch.zeros(inner, 1, 1)) for _ in range(2))

    def forward(self, maps: Tensor) -> Tensor:
        hidden = self.grouped(_biased(self.widen(maps), self.first_bias))
        return maps + cast(Tensor, self.narrow(_biased(hidden, self.second_bias)))


def _biased(maps: Tensor, bias: Tensor) -> Tensor:
    """LeakyReLU of maps and bias, in the maps' precision: a float32 bias would make all maps float32."""
    return F.leaky_relu(maps + bias.to(maps.dtype), SLOPE)


def _stage(settings: R3ganSettings, width: int, stages: int) -> nn.Sequential:
    return nn.Sequential(*(_Block(settings, width, settings.blocks * stages) for _ in range(settings.blocks)))


def _transition(before: int, after: int) -> nn.Module:
    """From one stage's channels to the next's, at the smaller of their sizes."""
    return nn.Identity() if before == after else _conv(before, after, 1)


def _embedding(count: int, size: int, gain: float = 1.0) -> nn.Embedding:
    """Vectors of classes; they start as the columns of a linear layer of one-hot labels, as the authors have it."""
    table = nn.Embedding(count, size)
    nn.init.normal_(table.weight, 0.0, gain * count**-0.5)
    return table


def _conv(before: int, after: int, size: int, gain: float = 1.0, groups: int = 1) -> nn.Conv2d:
    """A convolution without bias; initial weights are normal with the variance gain^2 / fan-in."""
    conv = nn.Conv2d(before, after, size, padding=size // 2, groups=groups, bias=False)
    nn.init.normal_(conv.weight, 0.0, gain / math.sqrt(before // groups * size**2))
    return conv
