"""Trainings side by side: started while there are places, watched, restarted where they were killed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ganops.errors import SearchError
from ganops.search.executor import Executor, Running
from ganops.search.trial_folder import Outcome, TrialFolder

POLL_SECONDS = 0.2
MOST_STARTS = 3  # of one training; each but the first resumes from its checkpoint
SIGNALLED = 128  # exit codes above it, and negative ones: ended by a signal


@dataclass(frozen=True)
class Failure:
    """A training that left no outcome, and the end of what it printed."""

    code: int
    text: str

    @property
    def reason(self) -> str:
        """One line: the error that was printed, else the last line, else the exit code."""
        lines = self.text.splitlines()
        errors = [line for line in lines if line.startswith("error: ")]
        return (errors or lines or [f"exit code {self.code}"])[-1]


@dataclass(frozen=True)
class Work:
    """One training that is wanted: its folder, and what is done with its validations and its end."""

    folder: TrialFolder
    on_end: Callable[[Outcome | Failure], None]
    on_progress: Callable[[], None] = lambda: None


def run_all(executor: Executor, upcoming: Callable[[], Work | None], environment: Mapping[str, str]) -> None:
    """Do all that `upcoming` gives until it gives None and everything has ended.

    environment: variables of every training. What was begun and has its outcome is not begun again. However this ends,
    no training is left behind. Raises SearchError (code "store-unusable") where a training cannot reach the tracking
    store: nothing after it would.
    """
    running: list[tuple[Work, Running, int]] = []
    try:
        while True:
            while len(running) < executor.places and (work := upcoming()) is not None:
                if (outcome := work.folder.outcome()) is not None:
                    work.on_end(outcome)
                else:
                    running.append((work, executor.start(work.folder.path, environment), 1))
            if not running:
                return
            time.sleep(POLL_SECONDS)
            for place in reversed(range(len(running))):  # in place: one may raise after another was started again
                if (going := _step(executor, *running[place], environment)) is not None:
                    running[place] = going
                else:
                    del running[place]
    finally:
        for _, process, _ in running:
            process.stop()


def _step(
    executor: Executor, work: Work, process: Running, starts: int, environment: Mapping[str, str]
) -> tuple[Work, Running, int] | None:
    """Look at one training; None when it has ended."""
    code = process.poll()
    work.on_progress()
    if code is None:
        return work, process, starts
    outcome, text = work.folder.outcome(), work.folder.last_lines()
    if outcome is not None:
        work.on_end(outcome)
        return None
    if code == os.EX_TEMPFAIL:
        raise SearchError(
            "a training could not reach what it needs",
            code="unreachable",
            found=text,
            action="run the same command again later: it continues where it was",
            exit_code=code,
        )
    if (code < 0 or code > SIGNALLED) and starts < MOST_STARTS:
        return work, executor.start(work.folder.path, environment), starts + 1
    work.on_end(Failure(code, text))
    return None
