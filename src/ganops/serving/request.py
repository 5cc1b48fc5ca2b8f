"""What a client may ask for, and the rows that the networks need for it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import BeforeValidator, Field
from torch import Tensor

from ganops.data.decode import opened
from ganops.data.fields.field import Field as DataField
from ganops.data.rejection import RefusedError
from ganops.data.rows import Rows
from ganops.errors import DataError
from ganops.evaluation.latent_interpolation import slerp
from ganops.games.sampling import draw_inputs, draw_latents
from ganops.games.task import Task
from ganops.serving.served import Served
from ganops.settings import Settings, nearest, shortened

LAST_SEED = 2**31 - 1
MOST_COLUMNS = 100
MOST_PICTURES = 8  # of the largest size in one request; of smaller ones more, to as many pixels
Format = Literal["json", "png", "zip", "npy"]


def _whole(value: Any) -> Any:
    """2.0 is a whole number in JSON; true is not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# The bounds stand before the validator: after it they would be missing in the JSON schema.
Seed = Annotated[int, Field(strict=True, ge=0, le=LAST_SEED), BeforeValidator(_whole)]
Count = Annotated[int, Field(strict=True, ge=1), BeforeValidator(_whole)]
Columns = Annotated[int, Field(strict=True, ge=1, le=MOST_COLUMNS), BeforeValidator(_whole)]


class Walk(Settings):
    """A step from the latents of `seed` towards those of another seed, along the sphere.

    position: 0 gives the images of the request's own seed, 1 those of `to`.
    """

    to: Seed
    position: float = Field(ge=0, le=1, strict=True)


class GenerateRequest(Settings):
    """A request for images.

    n: how many. seed: the same seed gives the same images, whatever else is asked at the same time. task: one of the
    model's; by default the first. model: an alias in service; by default the one that the service was started for.
    inputs: values of the task's inputs: one for all rows, or a list with one for each. truncation: less is closer to
    the average image. format: json (each row with its values), png (all images in one), zip (a file per image), npy (an
    array of the first output). columns: images in a row of the png.
    """

    n: Count = 1
    seed: Seed = 0
    task: str | None = None
    model: str | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)
    walk: Walk | None = None
    truncation: Annotated[float, Field(strict=True)] | None = None
    format: Format = "json"
    columns: Columns | None = None


@dataclass(frozen=True)
class Prepared:
    """Rows for the networks. task_name, task: what they are for. inputs: stored; None for a task without inputs."""

    task_name: str
    task: Task
    rows: Rows
    inputs: Rows | None


def prepare(served: Served, request: GenerateRequest, picture_pixels: int) -> Prepared:
    """Decode the inputs and draw the latents of a request.

    picture_pixels: a picture of more is refused before it is decoded. Raises GanopsError for what the model does not
    have or take.
    """
    name, task = served.find_task(request.task)
    _check_options(served, task, request)
    given = {key: _column(task, key, value, request.n, picture_pixels) for key, value in request.inputs.items()}
    drawn = next(draw_inputs(task, request.n, request.seed, given=given, batch_size=request.n))
    rows = drawn.modelled
    if request.walk is not None:
        rows = rows.merged(_walk(task, request.n, request.seed, request.walk))
    return Prepared(name, task, rows, drawn.inputs)


def _check_options(served: Served, task: Task, request: GenerateRequest) -> None:
    if request.walk is not None and not task.latents:
        raise DataError("there is nothing to walk between", code="no-latents", found="a task without latents")
    limits = served.truncation_range
    if request.truncation is None:
        return
    if limits is None or not limits[0] <= request.truncation <= limits[1]:
        raise DataError(
            "the truncation cannot be set to this",
            code="bad-truncation",
            expected=f"{limits[0]:g} to {limits[1]:g}" if limits else "none: this model has no truncation",
            found=f"{request.truncation:g}",
        )


def _walk(task: Task, count: int, seed: int, walk: Walk) -> Mapping[str, Tensor]:
    here, there = draw_latents(task.latents, count, seed), draw_latents(task.latents, count, walk.to)
    if here is None or there is None or walk.position == 0:
        return here or {}
    position = torch.full((count, 1), walk.position)
    return there if walk.position == 1 else {name: slerp(here[name], there[name], position) for name in here}


def _column(task: Task, name: str, value: Any, count: int, picture_pixels: int) -> Tensor:
    """A stored column of `count` rows."""
    field = task.inputs.get(name)
    if field is None:
        raise DataError(
            f"the task has no input '{shortened(name)}'",
            code="unknown-input",
            found=shortened(name),
            action=nearest(shortened(name), task.inputs) if task.inputs else "leave `inputs` out",
        )
    values = value if _one_for_each_row(field, value) else [value]
    if len(values) not in (1, count):
        raise DataError(
            f"the input '{name}' has too many or too few values",
            code="wrong-count",
            expected=f"1 or {count}",
            found=str(len(values)),
        )
    if field.wire_form == "picture":
        left = MOST_PICTURES * picture_pixels
        for each in values:
            left -= _check_picture(name, each, min(picture_pixels, left))
    try:
        stored = field.decode(values)
        field.check(stored)
    except DataError as error:
        raise DataError(
            f"input '{name}': {error.message}",
            code=error.code,
            expected=error.expected,
            found=shortened(error.found),
            action=error.action,
        ) from error
    return stored.expand(count, *field.shape) if len(stored) == 1 else stored


def _one_for_each_row(field: DataField, value: Any) -> bool:
    """Whether a value is a list with one value for each row; one row of numbers is a list itself."""
    if field.wire_form == "numbers":
        return isinstance(value, list) and bool(value) and isinstance(value[0], list)
    return isinstance(value, list)


def _check_picture(name: str, value: Any, most: int) -> int:
    """The pixels of a picture; refuse what is not the base64 of an image file, and more than `most`, by its header."""
    try:
        with opened(base64.b64decode(value, validate=True), most) as picture:
            return picture.width * picture.height
    except RefusedError as error:
        found = f"{error.reason}: {error.detail}" if error.detail else str(error.reason)
    except (ValueError, TypeError) as error:
        found = str(error)
    raise DataError(
        f"input '{name}' is not a picture that can be used",
        code="bad-picture",
        expected=f"base64 of an image file of at most {most:,} pixels",
        found=shortened(found),
    )
