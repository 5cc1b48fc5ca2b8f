"""A side of a benchmark in a process of its own: what it sets for its whole process does not change the others."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch

Play = Callable[[int], float]
_playing: list[Play] = []  # in the child: the one contestant


class OwnProcess:
    """A side of a benchmark that waits in a child process between its turns, where it uses no processor.

    make: a function of a module, called in the child with `arguments`; gives what plays so many rounds and tells
    images/s, warmed up, and its name. A child that dies raises BrokenProcessPool here.
    """

    def __init__(self, threads: int, make: Callable[..., tuple[Play, str]], *arguments: Any) -> None:
        self._child = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self.name = self._child.submit(_prepare, threads, make, arguments).result()

    def play(self, rounds: int) -> float:
        """Let it play so many rounds: its images/s."""
        return self._child.submit(_play, rounds).result()

    def close(self) -> None:
        """End the child."""
        self._child.shutdown()


def _prepare(threads: int, make: Callable[..., tuple[Play, str]], arguments: tuple[Any, ...]) -> str:
    torch.set_num_threads(threads)
    play, name = make(*arguments)
    _playing.append(play)
    return name


def _play(rounds: int) -> float:
    return _playing[0](rounds)
