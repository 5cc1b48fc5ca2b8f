"""Cheap answers to a task that a model must beat to be worth anything; they are scored as a model is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ganops.data.rows import Rows
from ganops.games.sampling import HeldOut, Sample, draw_inputs
from ganops.games.task import Task


@dataclass(frozen=True)
class Baseline:
    """title: for the leaderboard. answer: stored outputs for stored inputs."""

    title: str
    answer: Callable[[Rows], Rows]


def baselines_of(task: Task) -> Mapping[str, Baseline]:
    """The baselines that make sense for a task, by name.

    identity: every output is the input of the same form, which is what a model of small changes starts from.
    """
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


def baseline_samples(
    baseline: Baseline, task: Task, count: int, seed: int, held_out: HeldOut | None, batch_size: int
) -> Iterator[Sample]:
    """What `games.sampling.sample` yields for a model, for a baseline."""
    for drawn in draw_inputs(task, count, seed, held_out=held_out, batch_size=batch_size):
        assert drawn.inputs is not None
        yield Sample(drawn.inputs, baseline.answer(drawn.inputs), drawn.truth, drawn.classes)
