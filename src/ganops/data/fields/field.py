"""The interface of a field, and the registry that makes fields from their settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from PIL import Image
from pydantic import BeforeValidator, SerializeAsAny, computed_field
from torch import Tensor

from ganops.data.rows import Rows
from ganops.errors import DataError
from ganops.registry_of_kinds import KindRegistry
from ganops.settings import Settings

WireForm = Literal["picture", "class", "text", "numbers"]
FIELDS: KindRegistry[Field] = KindRegistry("field", "ganops.data.fields", "FIELDS")


class Field(Settings, ABC):
    """What one column of Rows is.

    A column has two forms: stored (packed files, pictures, wire) and modelled (what networks take and return).
    wire_form: what one row is on the wire: base64 of an image file, a class name, a text, or a list of numbers.
    """

    field_kind: ClassVar[str]
    wire_form: ClassVar[WireForm]
    drawn_in_columns: ClassVar[bool] = False  # whether `draw` lays rows out in columns, as figures of games need it

    @computed_field
    @property
    def kind(self) -> str:
        """The name under which FIELDS knows this class; it is written to manifest.json and model.json."""
        return self.field_kind

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of one stored row."""

    @property
    @abstractmethod
    def storage(self) -> torch.dtype:
        """Type of a stored column."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What the column holds, for a person: "grey images of 32 x 32 pixels"."""

    def check(self, stored: Tensor) -> None:
        """Raise DataError unless `stored` is (N, *shape) of the storage type."""
        if stored.dtype != self.storage or tuple(stored.shape[1:]) != self.shape:
            raise DataError(
                f"a column does not hold {self.description}",
                code="column-mismatch",
                expected=f"{self.storage}, (N, {', '.join(map(str, self.shape))})",
                found=f"{stored.dtype}, {tuple(stored.shape)}",
            )

    @abstractmethod
    def to_model(self, stored: Tensor) -> Tensor:
        """Stored rows in the form that networks take."""

    @abstractmethod
    def to_storage(self, modelled: Tensor) -> Tensor:
        """The inverse of `to_model`, rounded and clipped to the storage type."""

    def convert(self, stored: Tensor, like: Field) -> Tensor:
        """Stored rows of this field as stored rows of `like` (another size, other channels).

        Raises DataError where no conversion is defined.
        """
        if self.shape == like.shape and self.storage == like.storage:
            return stored
        raise DataError(
            "the columns cannot be converted", code="no-conversion", expected=like.description, found=self.description
        )

    @abstractmethod
    def encode(self, stored: Tensor) -> list[Any]:
        """Wire form, one value per row: base64 PNG, class name, text, numbers."""

    @abstractmethod
    def decode(self, wire: Sequence[Any]) -> Tensor:
        """The inverse of `encode`; raises DataError for a value that is not of this field."""

    def draw(self, stored: Tensor, columns: int | None = None) -> Image.Image | None:
        """A picture of the rows, `columns` in a row (None: a square grid); None where there is nothing to see."""
        del stored, columns
        return None

    def pictures(self, stored: Tensor) -> list[Image.Image]:
        """One picture per row; none where there is nothing to see."""
        drawn = [self.draw(row, 1) for row in torch.split(stored, 1)]
        return [picture for picture in drawn if picture is not None]

    def flip(self, modelled: Tensor, mirrored: Tensor) -> Tensor:
        """Mirror the rows where `mirrored` (N,) bool is true; the same rows where a mirror image makes no sense."""
        del mirrored
        return modelled


def stack(rows: Sequence[Tensor], field: Field) -> Tensor:
    """Stored rows as one column; there may be none."""
    return torch.stack(list(rows)) if rows else torch.empty(0, *field.shape, dtype=field.storage)


def make_field(value: Any) -> Any:
    """A field from its settings with `kind`; a Field passes through."""
    if not isinstance(value, Mapping):
        return value
    return FIELDS.build(value, "field")


AnyField = Annotated[SerializeAsAny[Field], BeforeValidator(make_field)]
Schema = Mapping[str, Field]


def modelled_rows(stored: Mapping[str, Tensor], schema: Schema) -> Rows:
    """The columns of a schema as networks take them."""
    return Rows({name: field.to_model(stored[name]) for name, field in schema.items()})


def stored_rows(modelled: Mapping[str, Tensor], schema: Schema) -> Rows:
    """The columns of a schema as files and people have them, on the CPU."""
    return Rows({name: field.to_storage(modelled[name]).cpu() for name, field in schema.items()})
