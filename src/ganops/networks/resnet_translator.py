"""The generator of CycleGAN: residual blocks between two convolutions down and two up (arXiv:1703.10593, 7.2)."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import check_equal_sizes, image_field, picture_field
from ganops.networks.initial_weights import dcgan_initial_weights
from ganops.networks.maps import channels_last
from ganops.networks.mirror_pad import MirrorPad
from ganops.networks.network import NETWORKS, EncodingTranslator
from ganops.networks.norms import NormName, norm_layers
from ganops.networks.resampling import DoublingConv
from ganops.settings import Settings


class ResnetTranslatorSettings(Settings):
    """source, target: names of the fields it is built for: images of equal size, any channels; or label maps as source.

    width: channels at full resolution, doubled by each of `halvings`. blocks: residual ones at the lowest resolution;
    the paper takes 6 for 128 pixels, 9 for 256. norm: after all convolutions but the last.
    upsample: "transposed", a transposed convolution of 3 x 3 as in the paper, or "resize", nearest neighbours and a
    convolution, which cannot leave a checkerboard. outer_kernel: of the first and the last convolution; odd.
    """

    source: str = "source"
    target: str = IMAGE
    width: int = Field(default=64, ge=1)
    halvings: int = Field(default=2, ge=0, le=4)
    blocks: int = Field(default=9, ge=1, le=1000)
    norm: NormName = "instance"
    upsample: Literal["transposed", "resize"] = "transposed"
    outer_kernel: Literal[3, 5, 7] = 7


class ResidualBlock(nn.Module):
    """Two convolutions of 3 x 3 over mirrored borders, added to what came in."""

    def __init__(self, width: int, norm: NormName) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(MirrorPad(1), nn.Conv2d(width, width, 3, bias=norm == "none"), *norm_layers(norm, width)),
            nn.ReLU(),
            *(MirrorPad(1), nn.Conv2d(width, width, 3, bias=norm == "none"), *norm_layers(norm, width)),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return cast(Tensor, maps + self.layers(maps))


@NETWORKS.add("resnet-translator", ResnetTranslatorSettings)
class ResnetTranslator(EncodingTranslator):
    """(N, C, H, W) source images to (N, C', H, W) target images, both in [-1, 1]; any size that can be halved so often.

    All layers up to the last residual block are the encoder, whose maps contrastive losses compare (CUT).
    """

    def __init__(self, settings: ResnetTranslatorSettings, spec: DataSpec) -> None:
        super().__init__()
        self.source, self.target = settings.source, settings.target
        source, target = picture_field(spec, settings.source), image_field(spec, settings.target)
        check_equal_sizes("a ResNet translator", source, target)
        self._check_size(settings, source.size)
        norm, width, border = settings.norm, settings.width, settings.outer_kernel // 2
        first = nn.Conv2d(source.channels, width, settings.outer_kernel, bias=norm == "none")
        layers: list[nn.Module] = [_layer(MirrorPad(border), first, *norm_layers(norm, width))]
        channels = [width]
        for _ in range(settings.halvings):
            down = nn.Conv2d(width, 2 * width, 3, 2, 1, bias=norm == "none")
            layers.append(_layer(down, *norm_layers(norm, 2 * width)))
            width *= 2
            channels.append(width)
        self.encoder_channels = (*channels, *[width] * settings.blocks)
        layers += [ResidualBlock(width, norm) for _ in range(settings.blocks)]
        self.encoder = nn.ModuleList(layers)
        self.decoder = nn.Sequential()
        for _ in range(settings.halvings):
            self.decoder.append(_layer(*_doubling(settings, width), *norm_layers(norm, width // 2)))
            width //= 2
        last = nn.Conv2d(width, target.channels, settings.outer_kernel)
        self.to_image = nn.Sequential(MirrorPad(border), last, nn.Tanh())
        self.apply(dcgan_initial_weights)

    def forward(self, images: Tensor) -> Tensor:
        """The target of each source."""
        return cast(Tensor, self.to_image(self.decoder(self.encode(images)[-1])))

    def encode(self, images: Tensor) -> list[Tensor]:
        """The maps after each layer of the encoder, from full resolution to the last residual block."""
        maps, found = channels_last(images), list[Tensor]()
        for layer in self.encoder:
            maps = layer(maps)
            found.append(maps)
        return found

    @staticmethod
    def _check_size(settings: ResnetTranslatorSettings, size: int) -> None:
        smallest = size // 2**settings.halvings
        if size % 2**settings.halvings or smallest < 2 or size <= settings.outer_kernel // 2:
            raise SettingsError(
                f"images of {size} pixels cannot be halved {settings.halvings} times",
                code="image-size",
                expected=f"a multiple of {2**settings.halvings}, at least {2 * 2**settings.halvings}",
                found=str(size),
                action="set halvings lower, or image_size in the recipe",
            )


def _layer(*modules: nn.Module) -> nn.Sequential:
    return nn.Sequential(*modules, nn.ReLU())


def _doubling(settings: ResnetTranslatorSettings, width: int) -> list[nn.Module]:
    bias = settings.norm == "none"
    if settings.upsample == "transposed":
        return [nn.ConvTranspose2d(width, width // 2, 3, 2, 1, output_padding=1, bias=bias)]
    return [DoublingConv(width, width // 2, bias=bias)]
