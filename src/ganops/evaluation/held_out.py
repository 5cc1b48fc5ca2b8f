"""Real rows that inputs of a task come from: the test split (else the training split), as the model takes them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_domains
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec, joint_name
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
    stored = [str(spec.derived[name]["of"]) if name in spec.derived else name for name in task.inputs]
    if task.partner_column is None:
        return held_out(prepared, spec, purpose, most, stored)
    return _with_partners(held_out(prepared, spec, purpose, None, stored), task, prepared, most)


def _with_partners(held: HeldOut, task: Task, prepared: Path, most: int) -> HeldOut:
    """The rows of unpaired data that have a partner in the other domain's test split, with it as the true output."""
    (source,), (target,), data = task.inputs, task.outputs, read_manifest(prepared).spec
    others = read_domains(prepared, "test", data)[target]
    wanted, keys = (
        rows[joint_name(domain, str(task.partner_column))].tolist()
        for rows, domain in ((held.rows, source), (others, target))
    )
    row_of = {key: row for row, key in enumerate(keys)}
    here = [row for row, key in enumerate(wanted) if key in row_of][:most]
    partners = others.select(torch.tensor([row_of[wanted[row]] for row in here], dtype=torch.int64))
    truth = in_form_of(partners.only([target]), data, held.spec)
    return HeldOut(held.rows.select(torch.tensor(here, dtype=torch.int64)).merged(truth), held.spec)


def sample_count(task: Task, samples: int, rows: HeldOut | None) -> int:
    """How many samples are scored: as many as asked for, but each input once where nothing but the input decides."""
    return samples if rows is None or task.latents else min(samples, len(rows.rows))


def held_out(
    prepared: Path, spec: DataSpec, purpose: Purpose, most: int | None = None, columns: Collection[str] | None = None
) -> HeldOut:
    """The rows for one purpose, the first `most` of them; of fewer than ten test rows all serve both.

    spec: of the model. A column of another size or of other channels than the data's is converted.
    columns: of unpaired data only domains with one of them are read; None: all, and as many rows as the smaller has.
    """
    manifest = read_manifest(prepared)
    domains = read_domains(prepared, "test" if manifest.counts.get("test") else "train", manifest.spec)
    parts = list(domains.values())
    if not manifest.spec.paired and columns is not None:
        parts = [rows for rows in parts if any(name in rows for name in columns)]
    chosen = [rows.select(_rows_for(purpose, len(rows))[:most]) for rows in parts]
    count = min(len(rows) for rows in chosen)
    joined = Rows({name: column[:count] for rows in chosen for name, column in rows.items()})
    return HeldOut(in_form_of(joined, manifest.spec, spec), spec)


def _rows_for(purpose: Purpose, count: int) -> Tensor:
    """(n,) row numbers."""
    index = torch.arange(count)
    if count < FEWEST_TO_DIVIDE:
        return index
    validation = index % VALIDATION_EVERY == 0
    return index[validation if purpose == "validation" else ~validation]


def in_form_of(rows: Rows, data: DataSpec, model: DataSpec) -> Rows:
    """Stored rows of the data as the model's spec has them; columns that it does not have are left out."""
    return Rows(
        {name: data.fields[name].convert(rows[name], model.fields[name]) for name in rows if name in model.fields}
    )
