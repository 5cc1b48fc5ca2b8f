"""The test of a model before it is taken into service: every task answers, and how many rows at once it may take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Protocol

from ganops.data.rows import Rows
from ganops.errors import RegistryError
from ganops.games.examples import example_rows
from ganops.games.game import Game
from ganops.registry.smoke_check import broken_rows, broken_weights
from ganops.serving.sizes import candidates, equal_sizes, independent_of_place

MOST_NUMBERS = 64 * 64 * 64 * 3  # in the outputs of one batch: 64 colour images of 64 x 64, 4 of 256 x 256
FEWEST_ROWS = 2  # of a test: with one it cannot be seen whether rows vary


class Run(Protocol):
    """Modelled inputs and latents to the modelled outputs of a task."""

    def __call__(self, rows: Rows, task: str) -> Rows: ...


@dataclass(frozen=True)
class Probe:
    """sizes: by task, the rows that may be computed at once, rising. rate: rows/s of the slowest task."""

    sizes: dict[str, tuple[int, ...]]
    rate: float


def probe(game: Game, run: Run, batch: int, uri: str) -> Probe:
    """Test all tasks of a game; raises RegistryError where it fails.

    batch: most rows at once; fewer where rows are large, so that a batch stays below a second on a CPU and in memory.
    """
    sizes, rates = dict[str, tuple[int, ...]](), list[float]()
    for name, task in game.tasks.items():
        largest = min(batch, max(1, MOST_NUMBERS // max(prod(field.shape) for field in task.outputs.values())))
        rows = example_rows(task, max(largest, FEWEST_ROWS))
        if failure := broken_weights(game) or _failure(game, run, name, rows):
            raise RegistryError(f"{uri} fails its test", code="smoke-test", found=failure)
        full, compute = rows.select(slice(largest)), partial(run, task=name)
        if not independent_of_place(compute, full):
            raise RegistryError(
                f"{uri} fails its test",
                code="rows-depend-on-others",
                expected="a row comes out the same, whatever else is in the batch",
                found=f"task '{name}'",
            )
        sizes[name] = equal_sizes(compute, full, candidates(largest))
        begin = time.perf_counter()
        run(full, task=name)
        rates.append(largest / (time.perf_counter() - begin))
    return Probe(sizes, min(rates))


def _failure(game: Game, run: Run, name: str, rows: Rows) -> str:
    """Why the answers of a task cannot be right; empty when they are."""
    try:
        outputs = run(rows, name)
        for key, field in game.tasks[name].outputs.items():
            stored = field.to_storage(outputs[key]).cpu()
            field.check(stored)
            if len(stored) != len(rows):
                return f"{len(stored)} rows of '{key}' instead of {len(rows)}"
            if field.wire_form != "class" and (broken := broken_rows(key, stored)):
                return broken
    except Exception as error:  # whatever a model raises is what this test is for
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    return ""
