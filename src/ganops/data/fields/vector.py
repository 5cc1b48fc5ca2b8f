"""Vectors of real numbers: points, latents, features."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from pydantic import Field as Bounded
from torch import Tensor

from ganops.data.fields.field import FIELDS, Field, WireForm
from ganops.data.mixture import Mixture
from ganops.errors import DataError
from ganops.settings import shortened


@FIELDS.add("vector")
class VectorField(Field):
    """`size` float32 numbers per row, stored as they are.

    mixture: the distribution that the rows were drawn from, where it is known; its Gaussians are the classes.
    """

    field_kind: ClassVar[str] = "vector"
    wire_form: ClassVar[WireForm] = "numbers"
    size: int = Bounded(ge=1)
    mixture: Mixture | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """(size,)."""
        return (self.size,)

    @property
    def storage(self) -> torch.dtype:
        """float32: 256 levels would be too few."""
        return torch.float32

    @property
    def description(self) -> str:
        """What the column holds."""
        return f"vectors of {self.size} numbers"

    def to_model(self, stored: Tensor) -> Tensor:
        """Unchanged."""
        return stored

    def to_storage(self, modelled: Tensor) -> Tensor:
        """float32."""
        return modelled.float()

    def encode(self, stored: Tensor) -> list[Any]:
        """A list of numbers per row."""
        values: list[Any] = stored.double().tolist()
        return values

    def decode(self, wire: Sequence[Any]) -> Tensor:
        """Lists of `size` finite numbers."""
        try:
            stored = torch.tensor([[float(number) for number in _numbers(row)] for row in wire], dtype=torch.float32)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(
                "a value is not a vector", code="bad-value", expected=self.description, found=str(error)
            ) from error
        stored = stored if len(wire) else torch.empty(0, self.size)
        if stored.shape[1] != self.size or not torch.isfinite(stored).all():
            raise DataError(
                "a value is not a vector of this size",
                code="bad-value",
                expected=f"{self.size} finite numbers",
                found=f"{stored.shape[1]} numbers",
            )
        return stored

    def draw(self, stored: Tensor, columns: int | None = None) -> Image.Image | None:
        """The first two numbers as points of the plane; None for vectors of one number."""
        del columns
        from ganops.data.fields.pictures import scatter

        return scatter(stored) if self.size >= 2 else None


def _numbers(row: Any) -> Any:
    """The row, where it is numbers: float() would also take texts and booleans."""
    numbers = row.tolist() if isinstance(row, np.ndarray) else row
    if not isinstance(numbers, (list, tuple)):
        raise TypeError(shortened(row))
    for each in numbers:
        if isinstance(each, bool) or not isinstance(each, Real):
            raise TypeError(shortened(each))
    return numbers
