"""Label maps: a class for each pixel, one-hot in networks."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from PIL import Image, ImageColor
from pydantic import Field as Bounded
from pydantic import model_validator
from torch import Tensor

from ganops.data.decode import decode
from ganops.data.fields.field import FIELDS, Field, WireForm, stack
from ganops.data.fields.image import ImageField
from ganops.data.label_format import LabelFormat, class_indices
from ganops.data.rejection import RefusedError
from ganops.errors import DataError
from ganops.settings import Settings

MOST_CLASSES = 256


class LabelTable(Settings):
    """The classes of label maps in the order of their indices, and the colour of each where pictures hold colours.

    In settings: a list of names for pictures of indices, or a mapping from names to colours (`road: "#804080"`).
    """

    classes: tuple[str, ...] = Bounded(min_length=2, max_length=MOST_CLASSES)
    colours: tuple[tuple[int, int, int], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "classes" not in value:
            return {"classes": tuple(map(str, value)), "colours": tuple(_colour(each) for each in value.values())}
        if isinstance(value, Mapping):  # as it is written to files, where tuples become lists
            return {key: _tuples(each) for key, each in value.items()}
        return {"classes": tuple(map(str, value))} if isinstance(value, (list, tuple)) else value

    @model_validator(mode="after")
    def _a_colour_for_each_class(self) -> LabelTable:
        if self.colours and len(set(self.colours)) != len(self.classes):
            raise ValueError("colours: a different one for each class, or none")
        return self

    def format(self, size: int) -> LabelFormat:
        """How pictures of these classes are packed."""
        return LabelFormat(size, len(self.classes), self.colours)

    def palette(self) -> list[tuple[int, int, int]]:
        """A colour for each class: its own, or else evenly spaced hues, with black for the first class."""
        if self.colours:
            return list(self.colours)
        hues = (360 * index / (len(self.classes) - 1) for index in range(len(self.classes) - 1))
        return [(0, 0, 0), *(_colour(f"hsl({hue:.0f}, 75%, 55%)") for hue in hues)]


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value


def _colour(value: Any) -> tuple[int, int, int]:
    if isinstance(value, (list, tuple)) and len(value) == 3 and all(each in range(256) for each in value):
        return value[0], value[1], value[2]
    try:
        return ImageColor.getrgb(value)[:3]
    except (ValueError, AttributeError, TypeError):
        raise ValueError(f"{value!r} is not a colour such as '#804080' or [128, 64, 128]") from None


@FIELDS.add("label-map")
class LabelMapField(Field):
    """Square label maps of K classes: stored (N, 1, H, W) uint8 indices, modelled as one-hot (N, K, H, W) floats."""

    field_kind: ClassVar[str] = "label-map"
    wire_form: ClassVar[WireForm] = "picture"
    drawn_in_columns: ClassVar[bool] = True
    size: int = Bounded(ge=1)
    labels: LabelTable

    @property
    def shape(self) -> tuple[int, ...]:
        """(1, H, W)."""
        return (1, self.size, self.size)

    @property
    def channels(self) -> int:
        """Of the modelled form: one for each class."""
        return len(self.labels.classes)

    @property
    def storage(self) -> torch.dtype:
        """uint8."""
        return torch.uint8

    @property
    def description(self) -> str:
        """What the column holds."""
        return f"label maps of {self.size} x {self.size} pixels and {len(self.labels.classes)} classes"

    def check(self, stored: Tensor) -> None:
        """Raise DataError unless all pixels are indices of classes."""
        super().check(stored)
        if len(stored) and int(stored.max()) >= len(self.labels.classes):
            raise DataError(
                "a pixel of a label map is not the index of a class",
                code="bad-label",
                expected=f"0..{len(self.labels.classes) - 1}",
                found=str(int(stored.max())),
            )

    def to_model(self, stored: Tensor) -> Tensor:
        """1 in the channel of a pixel's class, 0 in the others."""
        classes = torch.arange(len(self.labels.classes), device=stored.device).view(1, -1, 1, 1)
        return (stored == classes).float()

    def to_storage(self, modelled: Tensor) -> Tensor:
        """The channel with the largest value; of equal ones the first."""
        return modelled.argmax(dim=1, keepdim=True).to(torch.uint8)

    def convert(self, stored: Tensor, like: Field) -> Tensor:
        """Another size, by the nearest pixel; as an image: the colours of the classes."""
        if isinstance(like, ImageField):
            return ImageField(channels=3, size=self.size).convert(self._coloured(stored), like)
        if not isinstance(like, LabelMapField) or like.labels != self.labels:
            raise DataError(
                "label maps cannot be converted to this",
                code="no-conversion",
                expected=f"label maps of the classes {', '.join(self.labels.classes)}",
                found=like.description,
            )
        if like.size == self.size:
            return stored
        return F.interpolate(stored, (like.size, like.size), mode="nearest-exact")

    def encode(self, stored: Tensor) -> list[Any]:
        """Base64 of an indexed PNG per label map."""
        from ganops.data.fields.pictures import to_png

        return [base64.b64encode(to_png(picture)).decode() for picture in self._indexed(stored)]

    def decode(self, wire: Sequence[Any]) -> Tensor:
        """Base64 of image files, read as `prepare` reads label maps: by the table's colours, else as indices."""
        return stack([self._decode(value) for value in wire], self)

    def of_picture(self, picture: Image.Image) -> Tensor:
        """A picture of any size as (1, 1, H, W) class indices: by the colours of the table, else its own.

        Raises RefusedError where an index is that of no class, and for colours where the table has none.
        """
        return torch.from_numpy(class_indices(picture, self.labels.format(self.size)).copy())[None]

    def draw(self, stored: Tensor, columns: int | None = None) -> Image.Image | None:
        """A grid of the label maps in the colours of their classes."""
        from ganops.data.fields.pictures import image_grid, square

        return image_grid(self._coloured(stored), columns or square(len(stored)))

    def pictures(self, stored: Tensor) -> list[Image.Image]:
        """Indexed pictures, pixel for pixel."""
        return self._indexed(stored)

    def flip(self, modelled: Tensor, mirrored: Tensor) -> Tensor:
        """Left to right."""
        return torch.where(mirrored.view(-1, 1, 1, 1), modelled.flip(3), modelled)

    def _coloured(self, stored: Tensor) -> Tensor:
        """(N, 3, H, W) uint8."""
        palette = torch.tensor(self.labels.palette(), dtype=torch.uint8)
        return palette[stored[:, 0].cpu().long()].permute(0, 3, 1, 2).contiguous()

    def _indexed(self, stored: Tensor) -> list[Image.Image]:
        palette = [value for colour in self.labels.palette() for value in colour]
        pictures = []
        for row in stored.cpu():
            picture = Image.fromarray(row[0].contiguous().numpy()).convert("L")
            picture.putpalette(palette)
            pictures.append(picture)
        return pictures

    def _decode(self, value: Any) -> Tensor:
        try:
            content = base64.b64decode(value, validate=True)
            return torch.from_numpy(decode(content, self.labels.format(self.size)).copy())
        except (ValueError, TypeError, RefusedError) as error:
            raise DataError(
                "a value is not a label map",
                code="bad-value",
                expected="base64 of a picture in the colours of the classes"
                if self.labels.colours
                else "base64 of an indexed PNG",
                found=f"{error.reason}: {error.detail}" if isinstance(error, RefusedError) else str(error),
            ) from error


PictureField = ImageField | LabelMapField
