"""Where the trainings of a search run: as processes of this machine, or elsewhere by the same interface."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from ganops.search.process import GRACE_SECONDS, LOG
from ganops.slots import Slots

WORKER = "ganops.search.worker"


class Running(Protocol):
    """A training that was started."""

    def poll(self) -> int | None:
        """Its exit code, negative the signal that killed it; None while it runs."""

    def stop(self) -> None:
        """Ask it to write a checkpoint and end; returns when it has."""


class Executor(Protocol):
    """Starts trainings, at most `places` at once."""

    places: int

    def start(self, folder: Path, environment: Mapping[str, str]) -> Running:
        """Train what `folder` asks for, with these variables added to the environment."""


class LocalProcesses:
    """Trainings as processes of this machine; they share its GPUs evenly, or else its cores.

    They are forked from a server that has imported everything and done nothing, for the imports take as long as ten
    seconds of training.
    """

    def __init__(self, places: int, gpus: Sequence[str] = ()) -> None:
        self.places, self._slots = places, Slots(places, gpus)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([WORKER])

    def start(self, folder: Path, environment: Mapping[str, str]) -> Running:
        """Start a process once there is a place."""
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            place = stack.enter_context(self._slots.take())
            process = self._context.Process(target=_work, args=(folder, {**environment, **place}))
            process.start()
            return LocalProcess(process, stack.pop_all())


class LocalProcess:
    """A process and the place that it has."""

    def __init__(self, process: BaseProcess, place: ExitStack) -> None:
        self.process, self._place = process, place

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        code = self.process.exitcode
        if code is not None:
            self._place.close()
        return code

    def stop(self) -> None:
        """Ask it to end, and kill it after a grace."""
        self.process.terminate()
        self.process.join(GRACE_SECONDS)
        self.process.kill()
        self.process.join()
        self._place.close()


def _work(folder: Path, environment: Mapping[str, str]) -> None:
    """In the new process: a session of its own, which Ctrl-C does not reach; all that is printed goes to the log."""
    os.setsid()
    os.environ.update(environment)
    with (folder / LOG).open("ab") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    from ganops.search.worker import run

    run(str(folder))
