"""The U-Net of pix2pix: an image to an image, with skip connections (Isola et al. 2017, arXiv:1611.07004, 6.1.1)."""

from __future__ import annotations

from typing import Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import IMAGE, DataSpec
from ganops.errors import SettingsError
from ganops.networks.data_shapes import check_equal_sizes, image_field, picture_field, resolutions
from ganops.networks.initial_weights import dcgan_initial_weights
from ganops.networks.maps import channels_last
from ganops.networks.network import NETWORKS, Translator
from ganops.networks.norms import NormName, norm_layers
from ganops.networks.resampling import DoublingConv
from ganops.settings import Settings

SLOPE = 0.2  # of the encoder's LeakyReLU
MOST_DROPOUT_LAYERS = 3  # innermost ones


class UnetSettings(Settings):
    """source, target: names of the fields it is built for: images of equal size, any channels; or label maps as source.

    width: channels of the outermost maps; they double with every halving of the resolution, to max_width.
    norm: after all convolutions but the first and the last. upsample: how the decoder doubles its maps: "transposed",
    a transposed convolution of 4 x 4 as in the paper, or "resize", nearest neighbours and a convolution of 3 x 3, which
    cannot leave a checkerboard (Odena et al. 2016, https://distill.pub/2016/deconv-checkerboard).
    dropout: share of values dropped in the three innermost layers of the decoder, in training only; 0.5 in the paper,
    whose only noise it is, there at test time, too.
    """

    source: str = "source"
    target: str = IMAGE
    width: int = Field(default=64, ge=1)
    max_width: int = Field(default=512, ge=1)
    norm: NormName = "instance"
    upsample: Literal["transposed", "resize"] = "transposed"
    dropout: float = Field(default=0.0, ge=0, lt=1)


@NETWORKS.add("unet", UnetSettings)
class Unet(Translator):
    """(N, C, H, W) source images to (N, C', H, W) target images, both in [-1, 1].

    The encoder halves the maps down to 3..8 pixels, see `resolutions`; the paper's goes down to a single pixel, where
    an instance norm leaves nothing. Each layer of the decoder but the last also gives the encoder's maps of its
    resolution to the next. There is no skip at full resolution, as in the paper.
    """

    def __init__(self, settings: UnetSettings, spec: DataSpec) -> None:
        super().__init__()
        self.source, self.target = settings.source, settings.target
        source, target = picture_field(spec, settings.source), image_field(spec, settings.target)
        check_equal_sizes("a U-Net", source, target)
        halvings = len(resolutions(source.size)) - 1
        if halvings == 0:
            raise SettingsError(
                "a U-Net needs images that can be halved",
                code="image-size",
                expected="an even size of at least 6 pixels",
                found=str(source.size),
                action="set data.image_size in params.yaml or image_size in the recipe",
            )
        widths = [min(settings.width * 2**level, settings.max_width) for level in range(halvings)]
        before = [source.channels, *widths]
        self.encoder = nn.ModuleList(
            _down(before[level], widths[level], "none" if level == 0 else settings.norm) for level in range(halvings)
        )
        self.decoder = nn.ModuleList()
        channels = widths[-1]
        for number, width in enumerate(reversed(widths[:-1])):
            dropout = settings.dropout if number < MOST_DROPOUT_LAYERS else 0.0
            self.decoder.append(_up(channels, width, settings, dropout))
            channels = 2 * width
        self.to_image = nn.Sequential(*_doubling(channels, target.channels, settings.upsample, bias=True), nn.Tanh())
        self.apply(dcgan_initial_weights)

    def forward(self, images: Tensor) -> Tensor:
        """The target of each source."""
        maps, skips = channels_last(images), list[Tensor]()
        for down in self.encoder:
            maps = down(maps)
            skips.append(maps)
        skips.pop()
        for up in self.decoder:
            maps = torch.cat((up(maps), skips.pop()), dim=1)
        return cast(Tensor, self.to_image(maps))


def _down(before: int, after: int, norm: NormName) -> nn.Sequential:
    """Half the resolution."""
    convolution = nn.Conv2d(before, after, 4, 2, 1, bias=norm == "none")
    return nn.Sequential(convolution, *norm_layers(norm, after), nn.LeakyReLU(SLOPE))


def _up(before: int, after: int, settings: UnetSettings, dropout: float) -> nn.Sequential:
    """Twice the resolution."""
    layers = _doubling(before, after, settings.upsample, bias=settings.norm == "none")
    dropped = [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, *norm_layers(settings.norm, after), nn.ReLU(), *dropped)


def _doubling(before: int, after: int, upsample: Literal["transposed", "resize"], *, bias: bool) -> list[nn.Module]:
    if upsample == "transposed":
        return [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=bias)]
    return [DoublingConv(before, after, bias=bias)]
