"""Values that a person gives for the inputs of a task, as stored columns."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ganops.data.fields.field import Field
from ganops.data.fields.pictures import to_png
from ganops.errors import DataError
from ganops.games.task import Task


def given_column(task: Task, name: str, value: Any, count: int) -> Tensor:
    """The stored column of an input: `count` rows of one value, or of as many values in a sequence.

    A value is what the field's wire form allows (a class name, text, numbers, base64 of an image file), an image, the
    path of a file, or a stored tensor. Raises DataError for an unknown input, a value that its field cannot decode, and
    another number of rows.
    """
    field = task.inputs.get(name)
    if field is None:
        raise DataError(
            f"the model has no input '{name}'",
            code="unknown-input",
            expected=", ".join(f"{known}: {each.description}" for known, each in task.inputs.items()) or "no inputs",
            found=name,
        )
    if isinstance(value, Tensor):
        column = value.expand(count, *field.shape) if tuple(value.shape) == field.shape else value
    elif isinstance(value, Sequence) and not isinstance(value, str) and len(value) == count:
        column = _decode_each(field, name, value)
    else:
        column = _decode(field, name, value).expand(count, *field.shape)
    field.check(column)
    if len(column) != count:
        raise DataError(
            f"input '{name}' has too many or too few rows",
            code="wrong-count",
            expected=f"1 or {count}",
            found=str(len(column)),
        )
    return column


def _decode_each(field: Field, name: str, values: Sequence[Any]) -> Tensor:
    """One row per value; where that fails, the sequence may itself be one value, such as a vector."""
    try:
        return torch.cat([_decode(field, name, value) for value in values])
    except DataError as error:
        try:
            return _decode(field, name, values).expand(len(values), *field.shape)
        except DataError:
            raise error from None


def _decode(field: Field, name: str, value: Any) -> Tensor:
    """A stored column of one row."""
    errors: list[DataError] = []
    for form in _wire_forms(value):
        try:
            return field.decode([form])
        except DataError as error:
            errors.append(error)
        except TypeError as error:
            errors.append(DataError("a value has the wrong type", code="bad-value", found=str(error)))
    first = errors[0]
    raise DataError(
        f"input '{name}': {first.message}",
        code=first.code,
        expected=first.expected or field.description,
        found=first.found or str(value)[:80],
        action=first.action,
    ) from first


def _wire_forms(value: Any) -> Iterator[Any]:
    """What a value may mean, in the order in which it is tried: itself, JSON in a text, the content of a file."""
    if isinstance(value, Image.Image):
        yield base64.b64encode(to_png(value)).decode()
        return
    if not isinstance(value, str | Path):
        yield value
        return
    if isinstance(value, str):
        yield value
        if value.startswith("["):
            with suppress(ValueError):
                yield json.loads(value)
    content = _content(Path(value))
    if content is not None or isinstance(value, Path):
        yield base64.b64encode(content or b"").decode()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (OSError, ValueError):
        return None
