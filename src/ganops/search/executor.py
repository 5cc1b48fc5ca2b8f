"""Where the trainings of a search run: as processes of this machine, or elsewhere by the same interface."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Protocol

from ganops.search.trial_folder import TrialFolder
from ganops.slots import Slots

GRACE_SECONDS = 30.0  # between SIGTERM, upon which a training writes a checkpoint, and SIGKILL


class Running(Protocol):
    """A training that was started."""

    def poll(self) -> int | None:
        """Its exit code, negative the signal that killed it; None while it runs."""

    def stop(self) -> None:
        """Ask it to write a checkpoint and end; returns when it has."""


class Executor(Protocol):
    """Starts trainings, at most `places` at once."""

    places: int

    def start(self, trial: TrialFolder, environment: Mapping[str, str]) -> Running:
        """Train what the folder asks for, with these variables added to the environment."""


class LocalProcesses:
    """Trainings as child processes; they share the GPUs of this machine evenly, or else its cores."""

    def __init__(self, places: int, gpus: list[str]) -> None:
        self.places, self._slots = places, Slots(places, gpus)

    def start(self, trial: TrialFolder, environment: Mapping[str, str]) -> Running:
        """Start a process once there is a place, in a session of its own: Ctrl-C reaches the search alone."""
        stack = ExitStack()
        with stack:
            place = stack.enter_context(self._slots.take())
            process = start_process(trial, {**environment, **place})
            return LocalProcess(process, stack.pop_all())


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


def start_process(trial: TrialFolder, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Train what a folder asks for in a process of its own session; what it prints is added to the folder's log."""
    trial.path.mkdir(parents=True, exist_ok=True)
    with trial.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - this program's own words
            [sys.executable, "-m", "ganops.search.worker", str(trial.path)],
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def end_process(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL to what is left of it after the grace."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
