"""PatchGAN: a discriminator that judges each patch of an image by itself (Isola et al. 2017, arXiv:1611.07004)."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import check_equal_sizes, image_field, picture_field
from ganops.networks.initial_weights import dcgan_initial_weights
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, FeatureDiscriminator
from ganops.networks.norms import NormName, norm_layers
from ganops.settings import Settings

SLOPE = 0.2  # of LeakyReLU
MOST_GROWTH = 8  # channels of the widest layer, in units of `width`


class PatchganSettings(Settings):
    """source, target: names of the fields it is built for: images of equal size, any channels; a source may be label
    maps. Without a source it judges targets alone.

    layers: convolutions that halve the maps; 0, 1, 2, 3 give patches of 1, 16, 34, 70 pixels. The paper takes 3 for
    images of 256 pixels, where patches of the whole image were worse. width: channels of the first layer; they double
    with each layer, to 8 times. norm: after all convolutions but the first and the last.
    spectral: whether these convolutions have spectral norm (Miyato et al. 2018, arXiv:1802.05957).
    """

    source: str | None = "source"
    target: str = IMAGE
    layers: int = Field(default=3, ge=0, le=6)
    width: int = Field(default=64, ge=1)
    norm: NormName = "instance"
    spectral: bool = False


class Convolution(NamedTuple):
    """Kernel size, stride and padding of one layer."""

    kernel: int
    stride: int
    padding: int


def convolutions(settings: PatchganSettings) -> list[Convolution]:
    """The layers in order; without halvings all are of one pixel (the paper's PixelGAN)."""
    if settings.layers == 0:
        return [Convolution(1, 1, 0)] * 3
    return [Convolution(4, 2, 1)] * settings.layers + [Convolution(4, 1, 1)] * 2


def receptive_field(settings: PatchganSettings) -> int:
    """Height and width in pixels of the patch that one logit sees."""
    pixels = 1
    for kernel, stride, _ in reversed(convolutions(settings)):
        pixels = (pixels - 1) * stride + kernel
    return pixels


@NETWORKS.add("patchgan", PatchganSettings)
class Patchgan(FeatureDiscriminator):
    """(N, C, H, W) source images or None and (N, C', H, W) target images in [-1, 1] to (N, 1, h, w) logits.

    Logits are larger for real targets.
    Source and target lie on top of each other as channels of one image.
    """

    def __init__(self, settings: PatchganSettings, spec: DataSpec) -> None:
        super().__init__()
        self.source, self.target = settings.source, settings.target
        target = image_field(spec, settings.target)
        source = None if settings.source is None else picture_field(spec, settings.source)
        if source is not None:
            check_equal_sizes("a PatchGAN", source, target)
        self._check_size(settings, target.size)
        self.patches = (receptive_field(settings),)
        *hidden, last = convolutions(settings)
        layers, channels = list[nn.Module](), target.channels + (source.channels if source else 0)
        for index, layer in enumerate(hidden):
            after = settings.width * min(2**index, MOST_GROWTH)
            norm: NormName = "none" if index == 0 else settings.norm
            convolution = nn.Conv2d(channels, after, *layer, bias=norm == "none")
            layers += [convolution, *norm_layers(norm, after), nn.LeakyReLU(SLOPE)]
            channels = after
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, *last))
        self.apply(dcgan_initial_weights)
        for convolution in [each for each in self.layers if isinstance(each, nn.Conv2d)][1:-1]:
            if settings.spectral:
                spectral_norm(convolution)

    def forward(self, source: Tensor | None, target: Tensor) -> Tensor:
        """One logit for each patch of each target, or of each pair."""
        images = target if source is None else torch.cat((source, target), dim=1)
        return cast(Tensor, self.layers(channels_last(images)))

    def features(self, source: Tensor | None, target: Tensor) -> list[Tensor]:
        """The maps after each activation, and the logits last."""
        maps, found = channels_last(target if source is None else torch.cat((source, target), dim=1)), list[Tensor]()
        for layer in self.layers:
            maps = layer(maps)
            if isinstance(layer, nn.LeakyReLU):
                found.append(maps)
        return [*found, maps]

    @staticmethod
    def _check_size(settings: PatchganSettings, size: int) -> None:
        """Raise SettingsError where the maps become too small: two pixels for a norm, one for the logits."""
        pixels, *_, before, last = [size, *_map_sizes(settings, size)]
        if before < 2 or last < 1:
            raise SettingsError(
                f"a PatchGAN of {settings.layers} layers needs larger images than {pixels} pixels",
                code="image-size",
                expected="a smaller number of layers",
                found=f"layers: {settings.layers}, which sees patches of {receptive_field(settings)} pixels",
            )


def _map_sizes(settings: PatchganSettings, size: int) -> list[int]:
    """Height and width of the maps after each layer."""
    sizes = []
    for kernel, stride, padding in convolutions(settings):
        size = (size + 2 * padding - kernel) // stride + 1
        sizes.append(size)
    return sizes
