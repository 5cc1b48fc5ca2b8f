"""Where the trainings of a search run: as processes of this machine, or elsewhere by the same interface."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from ganops.search.process import end_process, start_process
from ganops.slots import Slots


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
    """Trainings as child processes; they share the GPUs of this machine evenly, or else its cores."""

    def __init__(self, places: int, gpus: Sequence[str] = ()) -> None:
        self.places, self._slots = places, Slots(places, gpus)

    def start(self, folder: Path, environment: Mapping[str, str]) -> Running:
        """Start a process once there is a place."""
        with ExitStack() as stack:
            place = stack.enter_context(self._slots.take())
            return LocalProcess(start_process(folder, Path.cwd(), {**environment, **place}), stack.pop_all())


class LocalProcess:
    """A child process and the place that it has."""

    def __init__(self, process: subprocess.Popen[bytes], place: ExitStack) -> None:
        self.process, self._place = process, place

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        code = self.process.poll()
        if code is not None:
            self._place.close()
        return code

    def stop(self) -> None:
        """Ask it to end, and kill it after a grace."""
        end_process(self.process)
        self._place.close()
