"""StyleGAN2 in plain PyTorch (Karras et al. 2019, arXiv:1912.04958): mapping, modulated convolutions, skips."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar, Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.networks.data_shapes import class_count_of, image_field, resolutions
from ganops.networks.equalized import EqualConv, EqualLinear, ModulatedConv, leaky
from ganops.networks.heads import LogitHead
from ganops.networks.low_pass import Upsample
from ganops.networks.maps import channels_last
from ganops.networks.minibatch import MinibatchDeviation
from ganops.networks.network import NETWORKS, Discriminator, StyleGenerator
from ganops.networks.one_hot import one_hot
from ganops.networks.widths import Widths


class StyleganGeneratorSettings(Widths):
    """width: channels next to the image. latent_dim: also the length of a style. mapping: layers from latent to style.

    mixing: share of training images that take the styles of two latents. truncation: how far from the mean style
    samples are taken, 1 for all the way. labels: 'mapping' makes the class part of the styles.
    """

    width: int = Field(default=32, ge=1)
    growth: Literal[1, 2] = 2
    max_width: int = Field(default=512, ge=1)
    latent_dim: int = Field(default=512, ge=1)
    mapping: int = Field(default=8, ge=1, le=1000)
    mixing: float = Field(default=0.9, ge=0, le=1)
    truncation: float = Field(default=1.0, gt=0, le=1)
    labels: Literal["none", "mapping"] = "none"


@NETWORKS.add("stylegan2-generator", StyleganGeneratorSettings)
class StyleganGenerator(StyleGenerator):
    """Styles control every layer; the image is the sum of what each resolution adds (skip architecture).

    In training, noise is random and styles are mixed; in eval mode the noise is one fixed pattern per layer.
    """

    style_mean: Tensor
    truncation_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __init__(self, settings: StyleganGeneratorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.settings, self.latent_dim = settings, settings.latent_dim
        self.truncation = settings.truncation
        self.class_count = class_count_of(spec) if settings.labels == "mapping" else 0
        dim = settings.latent_dim
        self.label = EqualLinear(self.class_count, dim) if self.class_count else None
        inputs = 2 * dim if self.class_count else dim
        self.mapping = nn.ModuleList(
            EqualLinear(before, after, rate=0.01) for before, after in pairwise((inputs, *[dim] * settings.mapping))
        )
        ladder = resolutions(image.size)
        widths = settings.of(ladder)
        self.constant = nn.Parameter(torch.randn(1, widths[0], ladder[0], ladder[0]))
        convs = [_NoisyConv(widths[0], widths[0], ladder[0], dim)]
        for size, (before, after) in zip(ladder[1:], pairwise(widths), strict=True):
            convs += [_NoisyConv(before, after, size, dim, up=True), _NoisyConv(after, after, size, dim)]
        images = [ModulatedConv(width, image.channels, 1, dim, demodulate=False) for width in widths]
        self.convs, self.images = nn.ModuleList(convs), nn.ModuleList(images)
        self.upsample = Upsample()
        self.register_buffer("style_mean", torch.zeros(dim))

    @property
    def layer_count(self) -> int:
        """Number of styles an image takes: one per convolution and one for the last image layer."""
        return len(self.convs) + 1

    def styles(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, L, latent_dim) styles of latents, equal for all layers; in training the mean style follows them."""
        mapped = self._map(latents, labels)
        if self.training:
            self.style_mean.lerp_(mapped.detach().mean(dim=0), 0.005)
        return mapped[:, None].expand(-1, self.layer_count, -1)

    def _map(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        hidden = _unit(latents.float())
        if self.label is not None and labels is not None:
            known = one_hot(labels, self.class_count, torch.float32)
            hidden = torch.cat((hidden, _unit(self.label(known).float())), dim=1)
        for layer in self.mapping:
            hidden = leaky(layer(hidden))
        return hidden.float()

    def synthesize(self, styles: Tensor) -> Tensor:
        """(N, C, H, W) images from (N, L, latent_dim) styles."""
        maps = self.constant.expand(styles.shape[0], -1, -1, -1)
        maps = self.convs[0](maps, styles[:, 0])
        image = _at_least_float32(self.images[0](maps, styles[:, 1]))
        for level, to_image in enumerate(self.images[1:], start=1):
            index = 2 * level
            maps = self.convs[index - 1](maps, styles[:, index - 1])
            maps = self.convs[index](maps, styles[:, index])
            image = self.upsample(image) + _at_least_float32(to_image(maps, styles[:, index + 1]))
        return image

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate one image per latent; in training not clipped, so that gradients pass everywhere."""
        styles = self.styles(latents, labels)
        if self.training:
            return self.synthesize(self.mix(styles, labels))
        kept = 1.0 if self.truncation is None else self.truncation
        return self.synthesize(self.style_mean.lerp(styles, kept)).clamp(-1, 1)

    def mix(self, styles: Tensor, labels: Tensor | None) -> Tensor:
        """A random share of the rows with the styles of a second latent from a random layer on."""
        if not self.settings.mixing:
            return styles
        count, layers, device = len(styles), self.layer_count, styles.device
        others = self._map(torch.randn(count, self.latent_dim, device=device), labels)[:, None]
        cut = torch.randint(1, layers, (count, 1), device=device)
        cut = torch.where(torch.rand(count, 1, device=device) < self.settings.mixing, cut, layers)
        return torch.where((torch.arange(layers, device=device) < cut)[..., None], styles, others)


class StyleganDiscriminatorSettings(Widths):
    """width: channels next to the image. group: images whose spread is measured together. labels: 'projection'."""

    width: int = Field(default=32, ge=1)
    growth: Literal[1, 2] = 2
    max_width: int = Field(default=512, ge=1)
    group: int = Field(default=4, ge=1)
    labels: Literal["none", "projection"] = "none"


@NETWORKS.add("stylegan2-discriminator", StyleganDiscriminatorSettings)
class StyleganDiscriminator(Discriminator):
    """Residual blocks with low-pass filters, the batch's spread before the last layers: (N, C, H, W) to (N,) logits."""

    def __init__(self, settings: StyleganDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        image = image_field(spec)
        self.class_count = class_count_of(spec) if settings.labels == "projection" else 0
        ladder = resolutions(image.size)
        widths = list(reversed(settings.of(ladder)))
        self.first = EqualConv(image.channels, widths[0], 1)
        self.blocks = nn.Sequential(*(_DownBlock(before, after) for before, after in pairwise(widths)))
        self.deviation = MinibatchDeviation(settings.group)
        self.last = EqualConv(widths[-1] + 1, widths[-1], 3)
        self.hidden = EqualLinear(widths[-1] * ladder[0] ** 2, widths[-1])
        self.feature_count = widths[-1]
        self.head = LogitHead(widths[-1], self.class_count, EqualLinear)

    def features(self, images: Tensor, _labels: Tensor | None = None) -> Tensor:
        """(N, feature_count): the last hidden layer."""
        maps = leaky(self.last(self.deviation(self.blocks(leaky(channels_last(self.first(images)))))))
        return leaky(self.hidden(maps.flatten(1)))


class _NoisyConv(nn.Module):
    """A modulated convolution with noise and LeakyReLU behind it; the noise's strength is learned, from zero."""

    fixed_noise: Tensor

    def __init__(self, before: int, after: int, size: int, style_dim: int, *, up: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv(before, after, 3, style_dim, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("fixed_noise", torch.randn(1, 1, size, size))

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        noise = self.fixed_noise
        if self.training:
            noise = torch.randn(len(maps), *noise.shape[1:], device=maps.device)
        return leaky(self.conv(maps, style, noise * self.strength))


class _DownBlock(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first, self.second = EqualConv(before, before, 3), EqualConv(before, after, 3, down=True)
        self.shortcut = EqualConv(before, after, 1, bias=False, down=True)

    def forward(self, maps: Tensor) -> Tensor:
        hidden = leaky(self.second(leaky(self.first(maps))))
        return (hidden + cast(Tensor, self.shortcut(maps))) / math.sqrt(2)


def _at_least_float32(images: Tensor) -> Tensor:
    """Images are added in float32, as by the authors, whatever the precision of the maps."""
    return images.to(torch.promote_types(images.dtype, torch.float32))


def _unit(vectors: Tensor) -> Tensor:
    """Vectors scaled to a mean square of 1."""
    return vectors * (vectors.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
