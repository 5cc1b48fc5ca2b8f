"""The networks of StarGAN: a translator between all classes, and a discriminator that names them (arXiv:1711.09020)."""

from __future__ import annotations

from typing import Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import class_count_of, image_field
from ganops.networks.maps import channels_last, flatten_maps
from ganops.networks.network import NETWORKS, AttributeTranslator, ClassifyingDiscriminator
from ganops.networks.norms import InstanceNorm
from ganops.networks.one_hot import one_hot
from ganops.settings import Settings

SLOPE = 0.01  # of the discriminator's LeakyReLU


class StarganTranslatorSettings(Settings):
    """width: channels at full resolution, doubled by each of `halvings`; 64 in the paper. blocks: residual ones at the
    lowest resolution; 6 in the paper. outer_kernel: of the first and the last convolution; odd; 7 in the paper.
    """

    width: int = Field(default=64, ge=1)
    halvings: int = Field(default=2, ge=0, le=4)
    blocks: int = Field(default=6, ge=1, le=1000)
    outer_kernel: Literal[3, 5, 7] = 7


class AttributeBlock(nn.Module):
    """Two convolutions of 3 x 3, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(width, width, 3, padding=1, bias=False), _norm(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1, bias=False), _norm(width)),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return cast(Tensor, maps + self.layers(maps))


@NETWORKS.add("stargan-translator", StarganTranslatorSettings)
class StarganTranslator(AttributeTranslator):
    """Images in [-1, 1] with a constant map for each class, 1 for the wanted one and 0 for the others.

    Borders are zeros: with mirrored ones a constant map shifts whole channels alike, which the next norm takes away.
    """

    def __init__(self, settings: StarganTranslatorSettings, spec: DataSpec) -> None:
        super().__init__()
        field, self.class_count = image_field(spec, IMAGE), class_count_of(spec)
        if field.size % 2**settings.halvings or field.size < 2 * 2**settings.halvings:
            raise SettingsError(
                f"images of {field.size} pixels cannot be halved {settings.halvings} times",
                code="image-size",
                expected=f"a multiple of {2**settings.halvings}, at least {2 * 2**settings.halvings}",
                found=str(field.size),
                action="set halvings lower, or image_size in the recipe",
            )
        width, outer = settings.width, settings.outer_kernel
        first = nn.Conv2d(field.channels + self.class_count, width, outer, padding=outer // 2, bias=False)
        layers: list[nn.Module] = [first, _norm(width), nn.ReLU()]
        for _ in range(settings.halvings):
            layers += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), _norm(2 * width), nn.ReLU()]
            width *= 2
        layers += [AttributeBlock(width) for _ in range(settings.blocks)]
        for _ in range(settings.halvings):
            layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False), _norm(width // 2), nn.ReLU()]
            width //= 2
        last = nn.Conv2d(width, field.channels, outer, padding=outer // 2, bias=False)
        self.layers = nn.Sequential(*layers, last, nn.Tanh())

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """The images as (N,) classes."""
        planes = one_hot(labels, self.class_count, images.dtype)[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return cast(Tensor, self.layers(channels_last(torch.cat((images, planes), dim=1))))


class StarganDiscriminatorSettings(Settings):
    """width: channels of the first layer, doubled with each; 64 in the paper. layers: each halves the maps; 6 in the
    paper, for 128 pixels, which leaves maps of 2 pixels.
    """

    width: int = Field(default=64, ge=1)
    layers: int = Field(default=6, ge=1, le=8)


@NETWORKS.add("stargan-discriminator", StarganDiscriminatorSettings)
class StarganDiscriminator(ClassifyingDiscriminator):
    """Strided convolutions without norms, then a logit for each place and one for each class."""

    def __init__(self, settings: StarganDiscriminatorSettings, spec: DataSpec) -> None:
        super().__init__()
        field, self.class_count = image_field(spec, IMAGE), class_count_of(spec)
        size, width = field.size >> settings.layers, settings.width
        channels: int = field.channels
        if size < 1:
            raise SettingsError(
                f"images of {field.size} pixels cannot be halved {settings.layers} times",
                code="image-size",
                expected=f"at least {2**settings.layers} pixels",
                found=str(field.size),
                action="set layers lower, or image_size in the recipe",
            )
        layers = list[nn.Module]()
        for _ in range(settings.layers):
            layers += [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(SLOPE)]
            channels, width = width, 2 * width
        self.layers = nn.Sequential(*layers)
        self.to_logits = nn.Conv2d(channels, 1, 3, padding=1, bias=False)
        self.to_classes = nn.Linear(channels * size * size, self.class_count, bias=False)

    def judge(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 1, h, w) and (N, K) logits."""
        maps = self.layers(channels_last(images))
        return self.to_logits(maps), self.to_classes(flatten_maps(maps))

    def forward(self, images: Tensor) -> Tensor:
        """(N, 1, h, w) logits."""
        return self.judge(images)[0]


def _norm(channels: int) -> nn.Module:
    """An instance norm with a gain and an offset."""
    return InstanceNorm(channels, affine=True)
