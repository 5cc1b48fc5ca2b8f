"""Images: uint8 in files and on the wire, [-1, 1] in networks."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.decode import decode
from ganops.data.fields.field import FIELDS, Field, Schema, WireForm, stack
from ganops.data.image_format import ImageFormat
from ganops.data.rejection import RefusedError
from ganops.errors import DataError

CHUNK = 1024  # images converted at a time, so that the float copies stay small


@FIELDS.add("image")
class ImageField(Field):
    """Square images of one size: stored (N, C, H, W) uint8 in 0..255, modelled as float32 in [-1, 1]."""

    field_kind: ClassVar[str] = "image"
    wire_form: ClassVar[WireForm] = "picture"
    drawn_in_columns: ClassVar[bool] = True
    channels: Literal[1, 3]
    size: int = Bounded(ge=1)

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        return (self.channels, self.size, self.size)

    @property
    def storage(self) -> torch.dtype:
        """uint8."""
        return torch.uint8

    @property
    def description(self) -> str:
        """What the column holds."""
        return f"{'grey' if self.channels == 1 else 'RGB'} images of {self.size} x {self.size} pixels"

    def to_model(self, stored: Tensor) -> Tensor:
        """0..255 to [-1, 1]."""
        return stored.float() / 127.5 - 1

    def to_storage(self, modelled: Tensor) -> Tensor:
        """[-1, 1] to 0..255, rounded to the nearest level."""
        return (modelled.float() * 127.5 + 128).clamp(0, 255).to(torch.uint8)

    def convert(self, stored: Tensor, like: Field) -> Tensor:
        """Bicubic with antialiasing; one channel becomes three equal ones, three become luma (ITU-R BT.601)."""
        if self.shape == like.shape:
            return stored
        if not isinstance(like, ImageField):
            return super().convert(stored, like)  # raises
        return torch.cat([_convert(chunk, like) for chunk in torch.split(stored, CHUNK)])

    def encode(self, stored: Tensor) -> list[Any]:
        """Base64 of an 8-bit PNG per image."""
        from ganops.data.fields.pictures import to_pil, to_png

        return [base64.b64encode(to_png(to_pil(image))).decode() for image in stored]

    def decode(self, wire: Sequence[Any]) -> Tensor:
        """Base64 of image files of any kind that `prepare` reads, brought to this size and channels as it does."""
        return stack([self._decode(value) for value in wire], self)

    def of_picture(self, picture: Image.Image) -> Tensor:
        """A picture of mode L or RGB and of any size as (1, C, H, W), stored, with the channels of this field."""
        pixels = np.asarray(picture.convert("L" if self.channels == 1 else "RGB"))
        return torch.from_numpy(pixels.reshape(*pixels.shape[:2], self.channels).transpose(2, 0, 1).copy())[None]

    def draw(self, stored: Tensor, columns: int | None = None) -> Image.Image | None:
        """A grid of the images."""
        from ganops.data.fields.pictures import image_grid, square

        return image_grid(stored, columns or square(len(stored)))

    def pictures(self, stored: Tensor) -> list[Image.Image]:
        """The images as they are, pixel for pixel."""
        from ganops.data.fields.pictures import to_pil

        return [to_pil(image) for image in stored]

    def flip(self, modelled: Tensor, mirrored: Tensor) -> Tensor:
        """Left to right."""
        return torch.where(mirrored.view(-1, 1, 1, 1), modelled.flip(3), modelled)

    def _decode(self, value: Any) -> Tensor:
        try:
            content = base64.b64decode(value, validate=True)
            return torch.from_numpy(decode(content, ImageFormat(self.size, self.channels)).copy())
        except (ValueError, TypeError, RefusedError) as error:
            raise DataError(
                "a value is not an image",
                code="bad-value",
                expected="base64 of an image file, such as PNG, JPEG or WebP",
                found=str(error.reason) if isinstance(error, RefusedError) else str(error),
            ) from error


def luma(images: Tensor) -> Tensor:
    """(N, 3, H, W) RGB floats to (N, 1, H, W) grey: ITU-R BT.601, as Pillow's "L"."""
    return 0.299 * images[:, 0:1] + 0.587 * images[:, 1:2] + 0.114 * images[:, 2:3]


def _convert(images: Tensor, like: ImageField) -> Tensor:
    floats = images.float()
    if like.channels == 1 and floats.shape[1] == 3:
        floats = luma(floats)
    elif like.channels == 3 and floats.shape[1] == 1:
        floats = floats.expand(-1, 3, -1, -1)
    if floats.shape[2:] != (like.size, like.size):
        floats = F.interpolate(floats, (like.size, like.size), mode="bicubic", align_corners=False, antialias=True)
    return (floats + 0.5).clamp(0, 255).to(torch.uint8)


def first_image(schema: Schema) -> str | None:
    """The name of the first image of a schema; None where it has none."""
    return next((name for name, field in schema.items() if isinstance(field, ImageField)), None)
