"""One side of a benchmark in its own process, so that its process-wide settings do not affect the others."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch

Measure = Callable[[int], float]
_side: list[Measure] = []  # in the child: its only side


class OwnProcess:
    """One side of a benchmark in a child process, which idles between its turns.

    make: a function of a module, called in the child with `arguments`; returns a warmed-up function that takes so many
    steps and returns images/s, and its name. A child that dies raises BrokenProcessPool here.
    """

    def __init__(self, threads: int, make: Callable[..., tuple[Measure, str]], *arguments: Any) -> None:
        self._child = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self.name = self._child.submit(_prepare, threads, make, arguments).result()

    def measure(self, steps: int) -> float:
        """Take so many steps: images/s."""
        return self._child.submit(_measure, steps).result()

    def close(self) -> None:
        """End the child."""
        self._child.shutdown()


def _prepare(threads: int, make: Callable[..., tuple[Measure, str]], arguments: tuple[Any, ...]) -> str:
    torch.set_num_threads(threads)
    measure, name = make(*arguments)
    _side.append(measure)
    return name


def _measure(steps: int) -> float:
    return _side[0](steps)
