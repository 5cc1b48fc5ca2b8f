"""Real rows that inputs of a task come from: the test split (else the training split), as the model takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from ganops.data.fields.category import CategoryField
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.sampling import HeldOut
from ganops.games.task import Task

Purpose = Literal["evaluation", "validation"]

# Of the test rows every fifth is for validation metrics, the others are for the final scores: a step that was chosen
# by its answers to some inputs would be flattered by scores of the same ones.
VALIDATION_EVERY = 5
FEWEST_TO_DIVIDE = 10


def task_rows(task: Task, prepared: Path, spec: DataSpec, most: int, purpose: Purpose = "evaluation") -> HeldOut | None:
    """The held-out rows that a task's inputs come from; None where they need none."""
    if all(isinstance(field, CategoryField) for field in task.inputs.values()):
        return None
    return held_out(prepared, spec, purpose, most)


def sample_count(task: Task, samples: int, rows: HeldOut | None) -> int:
    """How many samples are scored: as many as asked for, but each input once where nothing but the input decides."""
    return samples if rows is None or task.latents else min(samples, len(rows.rows))


def held_out(prepared: Path, spec: DataSpec, purpose: Purpose, most: int | None = None) -> HeldOut:
    """The rows for one purpose, the first `most` of them; of fewer than ten test rows all serve both.

    spec: of the model. A column of another size or of other channels than the data's is converted.
    """
    manifest = read_manifest(prepared)
    rows = read_packed(prepared, "test" if manifest.counts.get("test") else "train")
    index = torch.arange(len(rows))
    if len(rows) >= FEWEST_TO_DIVIDE:
        validation = index % VALIDATION_EVERY == 0
        index = index[validation if purpose == "validation" else ~validation]
    rows = rows.select(index[:most])
    return HeldOut(in_form_of(rows, manifest.spec, spec), spec)


def in_form_of(rows: Rows, data: DataSpec, model: DataSpec) -> Rows:
    """Stored rows of the data as the model's spec has them; columns that it does not have are left out."""
    return Rows(
        {name: data.fields[name].convert(rows[name], model.fields[name]) for name in rows if name in model.fields}
    )
