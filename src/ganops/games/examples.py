"""Random rows that a task accepts: what a model is tested and traced with where there are no data."""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.data.fields.field import Field
from ganops.data.rows import Rows
from ganops.errors import DataError
from ganops.games.sampling import draw_latents
from ganops.games.task import Task


def example_rows(task: Task, count: int, seed: int = 1) -> Rows:
    """Modelled inputs, of random numbers, and latents, in this order."""
    latents = draw_latents(task.latents, count, seed)
    inputs = {name: field.to_model(_random(field, count, seed)) for name, field in task.inputs.items()}
    return Rows({**inputs, **(latents or {})})


def _random(field: Field, count: int, seed: int) -> Tensor:
    """Stored random rows that the field accepts."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, *field.shape)
    if field.storage.is_floating_point:
        return torch.randn(shape, generator=generator).to(field.storage)
    for levels, factor in ((256, 1), (2, 255), (2, 1)):  # images, masks, indices
        stored = (torch.randint(levels, shape, generator=generator) * factor).to(field.storage)
        try:
            field.check(stored)
        except DataError:
            continue
        return stored
    return torch.zeros(shape, dtype=field.storage)
