"""Inputs and outputs of a game: the same for the same seed, however they are batched.

Row i depends on the seed and on i only. Samples of training, validation, evaluation, serving and the command line all
come from here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from ganops.data.derived.derivation import derivations
from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Schema, stored_rows
from ganops.data.rows import Rows, concatenate
from ganops.data.spec import DataSpec
from ganops.errors import DataError, SettingsError
from ganops.games.game import Game
from ganops.games.task import Task
from ganops.seeds import seed_for
from ganops.settings import nearest

CHUNK = 256  # rows are drawn in chunks of this size, each from its own seed, so that batching changes nothing
# The random numbers of derived columns, classes and latents are unrelated, also to those of a training with the
# same seed, whose places (seed, step, 0) end in another number.
DERIVED, CLASS, LATENT = 1, 2, 3
PIXELS_AT_ONCE = 1 << 22  # of a batch: 256 images of 128 pixels, 4 of 1024
CYCLE = 1000  # places of the sequence of classes that a seed may start at


@dataclass(frozen=True)
class HeldOut:
    """Stored real rows that inputs come from, in the form that the game was built for, and what they are.

    spec: with the recipe's derived columns, which are computed here.
    """

    rows: Rows
    spec: DataSpec


@dataclass(frozen=True)
class Drawn:
    """Inputs of one batch: stored, and modelled together with the latents. truth: the real outputs, stored.

    classes: (N,) the class that each output should be of; None where none is known.
    """

    inputs: Rows | None
    modelled: Rows
    truth: Rows | None
    classes: Tensor | None = None


@dataclass(frozen=True)
class Sample:
    """One batch of inputs and outputs, and the real outputs of paired tasks; all stored, on the CPU.

    classes: (N,) the class that each output should be of; None where none is known.
    """

    inputs: Rows | None
    outputs: Rows
    truth: Rows | None
    classes: Tensor | None = None


def sample(
    game: Game,
    count: int,
    seed: int,
    *,
    task: str | None = None,
    held_out: HeldOut | None = None,
    given: Mapping[str, Tensor] | None = None,
    batch_size: int = CHUNK,
) -> Iterator[Sample]:
    """Yield `count` rows of a task's outputs in batches, from the networks as they are.

    Draws nothing from torch's global generators. The game is in eval mode meanwhile. batch_size: at most; see
    `rows_at_once`. See `draw_inputs` for the others.
    """
    wanted = find_task(game, task)
    batch_size = min(batch_size, rows_at_once(wanted))
    device = next(game.parameters()).device
    for drawn in draw_inputs(wanted, count, seed, held_out=held_out, given=given, batch_size=batch_size):
        with torch.no_grad(), _evaluating(game):
            outputs = game.generate(drawn.modelled.to(device), task)
        yield Sample(drawn.inputs, stored_rows(outputs, wanted.outputs), drawn.truth, drawn.classes)


def rows_at_once(task: Task) -> int:
    """How many rows may be generated together: of large images few, since each feature map has as many pixels."""
    shapes = (field.shape for field in (*task.inputs.values(), *task.outputs.values()))
    return max(1, PIXELS_AT_ONCE // max((prod(shape[-2:]) for shape in shapes if len(shape) > 2), default=1))


def sample_outputs(
    game: Game,
    count: int,
    seed: int,
    *,
    task: str | None = None,
    held_out: HeldOut | None = None,
    given: Mapping[str, Tensor] | None = None,
    batch_size: int = CHUNK,
) -> Rows:
    """All stored outputs of `sample` together."""
    batches = sample(game, count, seed, task=task, held_out=held_out, given=given, batch_size=batch_size)
    return concatenate([batch.outputs for batch in batches])


def draw_inputs(
    task: Task,
    count: int,
    seed: int,
    *,
    held_out: HeldOut | None = None,
    given: Mapping[str, Tensor] | None = None,
    batch_size: int = CHUNK,
) -> Iterator[Drawn]:
    """Yield the inputs of `count` rows in batches, on the CPU.

    Latents are standard normal. Columns of `given` (stored, `count` rows) are taken as they are. Other class labels
    follow the shares of the data; other columns are those of `held_out`, in order and from the start again after the
    last. Raises DataError for an input that comes from none of these.
    """
    given = given or {}
    available = held_out.spec.schema() if held_out else {}
    missing = [name for name in _from_data(task.inputs, given) if name not in available]
    if missing:
        raise DataError(
            "the task has inputs that must come from data",
            code="inputs-missing",
            expected=", ".join(f"{name}: {task.inputs[name].description}" for name in missing),
            found="no such column" if held_out else "no data",
            action="give these columns, or prepare data that have them",
        )
    labels = {
        name: draw_classes(field, count, seed)
        for name, field in task.inputs.items()
        if isinstance(field, CategoryField) and name not in given
    }
    known = {name: column for name, column in {**labels, **given}.items() if name in task.inputs}
    for start in range(0, count, batch_size):
        end = min(start + batch_size, count)
        inputs = {name: column[start:end] for name, column in known.items()}
        truth, classes = None, inputs.get(task.class_column or "")
        if held_out is not None and _from_data(task.inputs, given):
            rows = _held_out_rows(held_out, start, end, seed)
            inputs |= rows.only(_from_data(task.inputs, given))
            has_truth = task.paired or (task.partner_column is not None and all(name in rows for name in task.outputs))
            truth = rows.only(task.outputs) if has_truth else None
            classes = rows.get(task.class_column or "") if classes is None else classes
        modelled = {name: task.inputs[name].to_model(column) for name, column in inputs.items()}
        latents = _latents(task.latents, start, end, seed)
        ordered = Rows({name: inputs[name] for name in task.inputs}) if inputs else None
        yield Drawn(ordered, Rows({**modelled, **latents}), truth, classes)


def find_task(game: Game, name: str | None) -> Task:
    """The task called `name`, None: the first; raises SettingsError for an unknown one."""
    if name is not None and name not in game.tasks:
        raise SettingsError(
            f"this game has no task '{name}'", code="unknown-task", found=name, action=nearest(name, game.tasks)
        )
    return game.task if name is None else game.tasks[name]


def draw_latents(latents: Schema, count: int, seed: int) -> Rows | None:
    """`count` standard normal rows of each latent, on the CPU; None for a task without latents."""
    return Rows(_latents(latents, 0, count, seed)) if latents else None


def draw_classes(field: CategoryField, count: int, seed: int) -> Tensor:
    """(count,) class indices by the shares of the data.

    They are a piece of `class_sequence` that starts where the seed says: many rows of one seed keep the shares, and so
    do single rows of many seeds.
    """
    start = seed_for(seed, 0, CLASS) % CYCLE
    return class_sequence(field.shares or len(field.classes), start + count)[start:]


def class_sequence(shares: Sequence[float] | int, count: int) -> Tensor:
    """(count,) class indices by the given shares, as evenly interleaved as can be; a number of classes: equal shares.

    The j-th row of a class with share s stands at (j + 1/2) / s (the divisor method of Webster and Sainte-Laguë), so
    the first rows do not depend on `count`, and no class is more than about one row away from its share.
    """
    if isinstance(shares, int):
        shares = [1.0] * shares
    weights = torch.tensor(shares, dtype=torch.float64)
    weights = weights / weights.sum()
    classes, places = list[Tensor](), list[Tensor]()
    for index, share in enumerate(weights.tolist()):
        if share > 0:
            own = torch.arange(int(count * share) + 2, dtype=torch.float64)
            places.append((own + 0.5) / share)
            classes.append(torch.full((len(own),), index))
    return torch.cat(classes)[torch.cat(places).sort(stable=True).indices[:count]]


@contextmanager
def _evaluating(game: nn.Module) -> Generator[None]:
    """Put all modules into eval mode, and each back into its own mode: frozen parts of a game in training stay so."""
    modules = [(module, module.training) for module in game.modules()]
    game.eval()
    try:
        yield
    finally:
        for module, training in modules:
            module.training = training


def _from_data(inputs: Schema, given: Mapping[str, Tensor]) -> list[str]:
    return [name for name, field in inputs.items() if name not in given and not isinstance(field, CategoryField)]


def _held_out_rows(held_out: HeldOut, start: int, end: int, seed: int) -> Rows:
    """Stored rows start .. end - 1 of the endless repetition, with the derived columns as they would be stored."""
    pieces = []
    for chunk in _chunks(start, end):
        index = torch.arange(chunk * CHUNK, (chunk + 1) * CHUNK) % len(held_out.rows)
        rows = held_out.rows.select(index)
        generator = torch.Generator().manual_seed(seed_for(seed, chunk, DERIVED))
        fields = held_out.spec.schema()
        for name, derivation in derivations(held_out.spec).items():
            source = fields[derivation.of].to_model(rows[derivation.of])
            rows = rows.merged({name: fields[name].to_storage(derivation.derive(source, generator))})
        pieces.append(rows)
    first = _chunks(start, end).start * CHUNK
    return concatenate(pieces).select(slice(start - first, end - first))


def _latents(latents: Schema, start: int, end: int, seed: int) -> dict[str, Tensor]:
    """Rows start .. end - 1 of each latent."""
    if not latents:
        return {}
    sizes = [field.shape[0] for field in latents.values()]
    chunks = []
    for chunk in _chunks(start, end):
        generator = torch.Generator().manual_seed(seed_for(seed, chunk, LATENT))
        chunks.append(torch.randn(CHUNK, sum(sizes), generator=generator))
    drawn = torch.cat(chunks) if chunks else torch.empty(0, sum(sizes))
    first = _chunks(start, end).start * CHUNK
    return dict(zip(latents, torch.split(drawn[start - first : end - first], sizes, dim=1), strict=True))


def _chunks(start: int, end: int) -> range:
    return range(start // CHUNK, -(-end // CHUNK))
