"""Images: uint8 in files and on the wire, [-1, 1] in networks."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, UnidentifiedImageError
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.fields.field import FIELDS, Field
from ganops.errors import DataError

CHUNK = 1024  # images converted at a time, so that the float copies stay small


@FIELDS.add("image")
class ImageField(Field):
    """Square images of one size: stored (N, C, H, W) uint8 in 0..255, modelled as float32 in [-1, 1]."""

    field_kind: ClassVar[str] = "image"
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
            return super().convert(stored, like)  # type: ignore[arg-type]  # raises
        return torch.cat([_convert(chunk, like) for chunk in torch.split(stored, CHUNK)])

    def encode(self, stored: Tensor) -> list[Any]:
        """Base64 of an 8-bit PNG per image."""
        return [base64.b64encode(encode_png(image)).decode() for image in stored.cpu()]

    def decode(self, wire: Sequence[Any]) -> Tensor:
        """Base64 of PNG, JPEG or WebP files; brought to this field's size and channels as `prepare` does."""
        return torch.stack([self._decode(value) for value in wire])

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
            with Image.open(io.BytesIO(base64.b64decode(value, validate=True))) as image:
                image.load()
                picture = image.convert("L" if self.channels == 1 else "RGB")
        except (
            ValueError,
            TypeError,
            OSError,
            SyntaxError,
            UnidentifiedImageError,
            Image.DecompressionBombError,
        ) as error:
            raise DataError(
                "a value is not an image",
                code="bad-value",
                expected="base64 of a PNG or JPEG file",
                found=str(error)[:120],
            ) from error
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
        if picture.size != (self.size, self.size):
            picture = picture.resize((self.size, self.size), Image.Resampling.LANCZOS)
        return torch.from_numpy(np.array(picture)).view(self.size, self.size, self.channels).permute(2, 0, 1)


def encode_png(image: Tensor) -> bytes:
    """The PNG file of one (C, H, W) uint8 image."""
    file = io.BytesIO()
    pixels = image[0] if len(image) == 1 else image.permute(1, 2, 0)
    Image.fromarray(pixels.contiguous().numpy()).save(file, format="PNG")
    return file.getvalue()


def _convert(images: Tensor, like: ImageField) -> Tensor:
    floats = images.float()
    if like.channels == 1 and floats.shape[1] == 3:
        weights = floats.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
        floats = (floats * weights).sum(1, keepdim=True)
    elif like.channels == 3 and floats.shape[1] == 1:
        floats = floats.expand(-1, 3, -1, -1)
    if floats.shape[2:] != (like.size, like.size):
        floats = F.interpolate(floats, (like.size, like.size), mode="bicubic", align_corners=False, antialias=True)
    return (floats + 0.5).clamp(0, 255).to(torch.uint8)
