"""Categories: class labels, stored as indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from pydantic import Field as Bounded
from pydantic import model_validator
from torch import Tensor

from ganops.data.fields.field import FIELDS, Field, WireForm
from ganops.errors import DataError
from ganops.settings import nearest, shortened

LISTED = 12


@FIELDS.add("category")
class CategoryField(Field):
    """One class per row, an int64 index into `classes`.

    shares: the share of each class in the training data, which sampling follows; empty: all equal.
    channel_classes: what a single image channel shows, where each channel is a picture of its own; `classes` are then
        the combinations of these, the last channel's changing fastest.
    """

    field_kind: ClassVar[str] = "category"
    wire_form: ClassVar[WireForm] = "class"
    classes: tuple[str, ...] = Bounded(min_length=1)
    shares: tuple[float, ...] = ()
    channel_classes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _a_share_for_each_class(self) -> CategoryField:
        if self.shares and len(self.shares) != len(self.classes):
            raise ValueError("shares: one for each class, or none")
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """() : one index per row."""
        return ()

    @property
    def storage(self) -> torch.dtype:
        """int64."""
        return torch.int64

    @property
    def description(self) -> str:
        """The names of the classes; the first twelve of many."""
        more = ", ..." if len(self.classes) > LISTED else ""
        return ", ".join(self.classes[:LISTED]) + more

    def check(self, stored: Tensor) -> None:
        """Raise DataError unless all indices are those of classes."""
        super().check(stored)
        if len(stored) and not (int(stored.min()) >= 0 and int(stored.max()) < len(self.classes)):
            raise DataError(
                "a label is not the index of a class",
                code="bad-label",
                expected=f"0..{len(self.classes) - 1}",
                found=f"{int(stored.min())}..{int(stored.max())}",
            )

    def to_model(self, stored: Tensor) -> Tensor:
        """Unchanged: networks embed the indices."""
        return stored

    def to_storage(self, modelled: Tensor) -> Tensor:
        """int64 indices; (N, k) logits become the index of the largest."""
        return modelled.argmax(dim=1) if modelled.is_floating_point() else modelled.long()

    def encode(self, stored: Tensor) -> list[Any]:
        """The class names."""
        return [self.classes[index] for index in stored.tolist()]

    def decode(self, wire: Sequence[Any]) -> Tensor:
        """Class names to indices."""
        known = {name: index for index, name in enumerate(self.classes)}
        for name in wire:
            if not isinstance(name, str) or name not in known:
                raise DataError(
                    f"unknown class '{shortened(name)}'",
                    code="unknown-class",
                    found=shortened(name),
                    action=nearest(shortened(name), self.classes),
                )
        return torch.tensor([known[name] for name in wire], dtype=torch.int64)
