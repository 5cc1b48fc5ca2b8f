"""Images as JPEG leaves them, as removing its artefacts starts from (ITU-T T.81, with libjpeg's scale of qualities)."""

from __future__ import annotations

from functools import lru_cache
from math import pi, sqrt
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import AfterValidator
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.derived.derivation import DERIVATIONS, Derivation
from ganops.data.derived.images import Range, each_image, image_source, levels, padded
from ganops.data.fields.field import Field
from ganops.devices import in_float64

# Tables K.1 (brightness) and K.2 (colour) of the standard, row by row.
BRIGHTNESS = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
COLOUR = (
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)
BLOCK = 8
TIE = 1e-6  # what decides a tie when rounding, so that devices do not differ in the last bit


def _within_scale(quality: tuple[float, float]) -> tuple[float, float]:
    if quality[0] < 1 or quality[1] > 100:
        raise ValueError("a range of qualities within 1 to 100")
    return quality


@DERIVATIONS.add("jpeg")
class Jpeg(Derivation):
    """The image after JPEG compression and decompression, with colour at half the size (4:2:0) as usual.

    quality: 1 to 100 as libjpeg's; a range [low, high] is drawn for each image.
    What loses information is done: colour at half size, the cosine transform of 8 x 8 blocks, rounding by the
    standard's tables. The coding of the numbers loses nothing and is left out. Results differ from libjpeg's by about a
    grey level, since that rounds in between.
    """

    quality: Annotated[int, Bounded(ge=1, le=100)] | Annotated[Range, AfterValidator(_within_scale)]

    def field(self, source: Field) -> Field:
        """The same as the source."""
        return image_source(source, "jpeg")

    def derive(self, modelled: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """In double precision, so that every device and batch rounds alike; on a CPU where the device has none."""
        height, width = modelled.shape[2:]
        quality = each_image(self.quality, modelled, generator) + modelled.new_zeros(len(modelled), 1, 1, 1)
        scale = _scale(in_float64(quality).round())
        pixels = padded(in_float64(levels(modelled)), 2 * BLOCK)
        restored = _compress_grey(pixels, scale) if pixels.shape[1] == 1 else _compress_rgb(pixels, scale)
        rounded = _rounded(restored).clamp(0, 255)[:, :, :height, :width]
        return (rounded / 127.5 - 1).to(modelled)


def _compress_grey(pixels: Tensor, scale: Tensor) -> Tensor:
    return _quantised(pixels - 128, BRIGHTNESS, scale) + 128


def _compress_rgb(pixels: Tensor, scale: Tensor) -> Tensor:
    red, green, blue = pixels[:, 0:1], pixels[:, 1:2], pixels[:, 2:3]
    luma = _rounded(0.299 * red + 0.587 * green + 0.114 * blue)
    colours = torch.cat([(blue - luma) / 1.772, (red - luma) / 1.402], dim=1)
    small = _quantised(F.avg_pool2d(_rounded(colours), 2), COLOUR, scale)
    large = F.interpolate(small, scale_factor=2.0, mode="bilinear", align_corners=False)
    blue_part, red_part = large[:, :1], large[:, 1:]
    luma = _compress_grey(luma, scale)
    green = luma - (0.114 * 1.772 * blue_part + 0.299 * 1.402 * red_part) / 0.587
    return torch.cat([luma + 1.402 * red_part, green, luma + 1.772 * blue_part], dim=1)


def _quantised(planes: Tensor, table: tuple[int, ...], scale: Tensor) -> Tensor:
    """(N, C, H, W) planes around 0 after rounding the cosine coefficients of their blocks; (N, 1, 1, 1) scale."""
    count, channels, height, width = planes.shape
    step = ((_table(table, planes.device) * scale + 50) / 100 + TIE).floor().clamp(1, 255)[:, :, None, None]
    cosines = _cosines(planes.device)
    blocks = planes.view(count, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(3, 4)
    rounded = _rounded(cosines @ blocks @ cosines.T / step) * step
    return (cosines.T @ rounded @ cosines).transpose(3, 4).reshape(planes.shape)


def _scale(quality: Tensor) -> Tensor:
    """libjpeg's percentage of the tables."""
    return torch.where(quality < 50, (5000 / quality + TIE).floor(), 200 - 2 * quality)


def _rounded(values: Tensor) -> Tensor:
    return (values + 0.5 + TIE).floor()


@lru_cache
def _table(table: tuple[int, ...], device: torch.device) -> Tensor:
    """Kept on the device, since a captured step must not copy it there."""
    return torch.tensor(table, dtype=torch.float64, device=device).view(1, 1, BLOCK, BLOCK)


def _cosines(device: torch.device) -> Tensor:
    """The orthonormal cosine transform of 8 values, a frequency per row."""
    index = torch.arange(BLOCK, dtype=torch.float64, device=device)
    waves = torch.cos(pi / BLOCK * index[:, None] * (index + 0.5)) * sqrt(2 / BLOCK)
    return torch.where(index[:, None] == 0, waves / sqrt(2), waves)
