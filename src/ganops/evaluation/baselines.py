"""Cheap answers to a task that a model must beat to be worth anything; they are scored as a model is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch

from ganops.data.fields.field import modelled_rows, stored_rows
from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.games.game import Game
from ganops.games.sampling import HeldOut, Sample, draw_inputs, rows_at_once
from ganops.games.task import Task


@dataclass(frozen=True)
class Baseline:
    """title: for the leaderboard. answer: stored outputs for stored inputs."""

    title: str
    answer: Callable[[Rows], Rows]


def baselines_of(task: Task) -> Mapping[str, Baseline]:
    """The baselines that make sense for a task, by name.

    identity: every output is the input of the same form, which is what a model of small changes starts from.
    bicubic: every output is the input of other size, enlarged or made smaller as image editors do it.
    """
    return _identity(task) | _bicubic(task)


def alternatives_of(game: Game) -> Mapping[str, Baseline]:
    """Other answers of a game's own networks to its first task, by name; the game is in eval mode."""
    device = next(game.parameters()).device

    def stored(answer: Callable[[Rows], Rows], inputs: Rows) -> Rows:
        with torch.no_grad():
            outputs = answer(modelled_rows(inputs, game.task.inputs).to(device))
        return stored_rows(outputs, game.task.outputs)

    return {
        name: Baseline(name.replace("-", " "), partial(stored, answer)) for name, answer in game.alternatives().items()
    }


def _identity(task: Task) -> dict[str, Baseline]:
    sources = {
        output: next((name for name, its in task.inputs.items() if its == field), None)
        for output, field in task.outputs.items()
    }
    if not sources or None in sources.values():
        return {}
    columns = {output: name for output, name in sources.items() if name is not None}
    return {
        "identity": Baseline(
            "identity (the source itself)",
            lambda inputs: Rows({output: inputs[name] for output, name in columns.items()}),
        )
    }


def _bicubic(task: Task) -> dict[str, Baseline]:
    """Where one image input has the channels of the one image output, but not its size."""
    if len(task.outputs) != 1:
        return {}
    ((output, wanted),) = task.outputs.items()
    for name, given in task.inputs.items():
        if isinstance(given, ImageField) and isinstance(wanted, ImageField) and given.channels == wanted.channels:
            return {} if given == wanted else {"bicubic": Baseline("bicubic", partial(_resized, name, output, task))}
    return {}


def _resized(name: str, output: str, task: Task, inputs: Rows) -> Rows:
    return Rows({output: task.inputs[name].convert(inputs[name], task.outputs[output])})


def baseline_samples(
    baseline: Baseline, task: Task, count: int, seed: int, held_out: HeldOut | None, batch_size: int
) -> Iterator[Sample]:
    """What `games.sampling.sample` yields for a model, for a baseline."""
    batch_size = min(batch_size, rows_at_once(task))
    for drawn in draw_inputs(task, count, seed, held_out=held_out, batch_size=batch_size):
        assert drawn.inputs is not None
        yield Sample(drawn.inputs, baseline.answer(drawn.inputs), drawn.truth, drawn.classes)
