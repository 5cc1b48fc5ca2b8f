"""DVC's commands inside a flow; a failure says whether trying again can help."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Mapping

from ganops.errors import GanopsError
from pipeline.flows.process import CompletedCommand, Processes

# Another DVC works on the same files, for as long as its stage takes: --wait-for-lock does not wait for that.
BUSY = re.compile(r"it is being blocked by")
BUSY_PAUSE = 3.0

# What goes away by itself: a git at work in this checkout, a server or network that does not answer, a machine that
# killed the process (memory, preemption: a training goes on from its checkpoint).
PASSING = re.compile(
    rf"exited with ({os.EX_TEMPFAIL}|-9|137)\b"
    r"|Unable to acquire lock|index\.lock"
    r"|ECONNRESET|Connection (reset|refused|aborted|timed out)|Temporary failure in name resolution"
    r"|database is locked"
)


class StageError(GanopsError):
    """A command of the pipeline failed; trying again cannot help."""


class TransientError(StageError):
    """A command of the pipeline failed for a reason that goes away by itself."""


def run_dvc(
    *arguments: str,
    processes: Processes,
    say: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> CompletedCommand:
    """Run one DVC command in this checkout; another DVC at work on the same files is waited for.

    timeout: seconds. Raises StageError, or TransientError where trying again can help, with the reason as printed.
    """
    words = " ".join(arguments)
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", *arguments]
    ended = processes.run(command, say, environment=environment, timeout=timeout)
    while ended.code and not ended.timed_out and BUSY.search(ended.text):
        say(f"another DVC is at work on this: dvc {words} waits")
        time.sleep(BUSY_PAUSE)
        ended = processes.run(command, say, environment=environment, timeout=timeout)
    if ended.timed_out:
        raise StageError(
            f"dvc {words} was stopped", expected=f"an end within {timeout:,.0f} s", action="allow a stage more time"
        )
    if ended.code:
        kind = TransientError if PASSING.search(ended.text) else StageError
        raise kind(f"dvc {words} failed", found=_reason(ended), action=f"see the lines above; then: dvc {words}")
    return ended


def reproduce(
    stage: str,
    processes: Processes,
    say: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    *,
    force: bool = False,
) -> bool:
    """Let DVC run one stage if it has to (or by `force`); whether it did run. Raises as run_dvc does."""
    ran = False

    def watch(line: str) -> None:
        nonlocal ran
        ran |= line.startswith(f"Running stage '{stage}'")
        say(line)

    words = ["repro", "--single-item", *(["--force"] if force else []), stage]
    run_dvc(*words, processes=processes, say=watch, environment=environment, timeout=timeout)
    return ran


def _reason(ended: CompletedCommand) -> str:
    """The stage's own error where it printed one, else the last line."""
    errors = [line for line in ended.lines if line.startswith("error: ")]
    return errors[-1] if errors else (ended.lines or (f"exit code {ended.code}",))[-1]
