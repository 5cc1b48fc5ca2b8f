"""What derivations of images have in common."""

from __future__ import annotations

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import AfterValidator
from torch import Tensor

from ganops.data.derived.derivation import uniform
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.errors import SettingsError


def _ascending(value: tuple[float, float]) -> tuple[float, float]:
    if not 0 < value[0] <= value[1]:
        raise ValueError("a range: two numbers above 0, the smaller one first")
    return value


Range = Annotated[tuple[float, float], AfterValidator(_ascending)]


def image_source(source: Field, kind: str) -> ImageField:
    """The source as an image field; raises SettingsError for any other field."""
    if not isinstance(source, ImageField):
        raise SettingsError(
            f"'{kind}' can be derived from images only",
            code="bad-derivation",
            expected="a column of images",
            found=source.description,
        )
    return source


def each_image(value: float | tuple[float, float], like: Tensor, generator: torch.Generator | None) -> Tensor | float:
    """A number for all images; from a range, one for each image, (N, 1, 1, 1), drawn uniformly."""
    if not isinstance(value, tuple):
        return value
    low, high = value
    return low + (high - low) * uniform((len(like), 1, 1, 1), like, generator)


def levels(modelled: Tensor) -> Tensor:
    """[-1, 1] to whole grey levels 0..255, of the same type."""
    return ((modelled + 1) * 127.5).round().clamp(0, 255)


def shifted(images: Tensor, down: int, right: int) -> Tensor:
    """(N, C, H, W) whose pixel at (y, x) is that at (y + down, x + right); the edge's pixels repeat."""
    height, width = images.shape[2:]
    rows = (torch.arange(height, device=images.device) + down).clamp(0, height - 1)
    columns = (torch.arange(width, device=images.device) + right).clamp(0, width - 1)
    return images.index_select(2, rows).index_select(3, columns)


def padded(images: Tensor, multiple: int) -> Tensor:
    """The edges repeated to the right and below, until both sides are multiples of `multiple`."""
    height, width = images.shape[2:]
    return F.pad(images, (0, -width % multiple, 0, -height % multiple), mode="replicate")
