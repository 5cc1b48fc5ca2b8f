"""Masks: one channel of two values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from PIL import Image
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.fields.field import FIELDS, Field, WireForm
from ganops.data.fields.image import ImageField
from ganops.errors import DataError

OUTSIDE, INSIDE = 0, 255


@FIELDS.add("mask")
class MaskField(Field):
    """Square masks of one size: stored (N, 1, H, W) uint8, 0 or 255; modelled as float32, 0 or 1."""

    field_kind: ClassVar[str] = "mask"
    wire_form: ClassVar[WireForm] = "picture"
    drawn_in_columns: ClassVar[bool] = True
    size: int = Bounded(ge=1)

    @property
    def shape(self) -> tuple[int, ...]:
        """(1, H, W)."""
        return (1, self.size, self.size)

    @property
    def storage(self) -> torch.dtype:
        """uint8."""
        return torch.uint8

    @property
    def description(self) -> str:
        """What the column holds."""
        return f"masks of {self.size} x {self.size} pixels"

    def check(self, stored: Tensor) -> None:
        """Raise DataError unless all pixels are 0 or 255."""
        super().check(stored)
        other = stored[(stored != OUTSIDE) & (stored != INSIDE)]
        if len(other):
            raise DataError(
                "a mask has other values than two",
                code="bad-mask",
                expected=f"{OUTSIDE} or {INSIDE}",
                found=str(int(other[0])),
            )

    def to_model(self, stored: Tensor) -> Tensor:
        """0 and 255 to 0 and 1."""
        return stored.float() / INSIDE

    def to_storage(self, modelled: Tensor) -> Tensor:
        """255 from 0.5 on."""
        return (modelled >= 0.5).to(torch.uint8) * INSIDE

    def convert(self, stored: Tensor, like: Field) -> Tensor:
        """Another size: inside where at least half of a pixel's area was."""
        if not isinstance(like, MaskField) or self.size == like.size:
            return super().convert(stored, like)  # raises for another kind
        floats = F.interpolate(self.to_model(stored), (like.size, like.size), mode="bilinear", antialias=True)
        return self.to_storage(floats)

    def encode(self, stored: Tensor) -> list[Any]:
        """Base64 of a PNG per mask."""
        return self._as_images().encode(stored)

    def decode(self, wire: Sequence[Any]) -> Tensor:
        """Base64 of image files: inside where a pixel is lighter than mid-grey."""
        return self.to_storage(self._as_images().decode(wire).float() / INSIDE)

    def draw(self, stored: Tensor, columns: int | None = None) -> Image.Image | None:
        """A grid of the masks."""
        return self._as_images().draw(stored, columns)

    def pictures(self, stored: Tensor) -> list[Image.Image]:
        """The masks as they are, pixel for pixel."""
        return self._as_images().pictures(stored)

    def flip(self, modelled: Tensor, mirrored: Tensor) -> Tensor:
        """Left to right."""
        return self._as_images().flip(modelled, mirrored)

    def _as_images(self) -> ImageField:
        return ImageField(channels=1, size=self.size)
