"""One stage, run by DVC in a process of its own; a failure says whether trying again can help."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ganops.errors import GanopsError
from pipeline.flows.process import Ended, run_command

# What goes away by itself: another DVC or git at work in this checkout, a server or network that does not answer,
# a machine that killed the process (memory, preemption: a training goes on from its checkpoint).
PASSING = re.compile(
    rf"exited with ({os.EX_TEMPFAIL}|-9|137)\b"
    r"|Unable to acquire lock|it is being blocked by|index\.lock"
    r"|ECONNRESET|Connection (reset|refused|aborted|timed out)|Temporary failure in name resolution"
    r"|database is locked"
)


class StageError(GanopsError):
    """A command of the pipeline failed; trying again cannot help."""


class PassingError(StageError):
    """A command of the pipeline failed for a reason that goes away by itself."""


def reproduce(
    stage: str,
    root: Path,
    say: Callable[[str], None],
    *,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> bool:
    """Let DVC run one stage if it has to; whether it did run.

    timeout: seconds. Raises StageError, or PassingError where trying again can help.
    """
    ended = run_dvc(
        ("repro", "--single-item", stage), root, say, what=f"stage {stage}", environment=environment, timeout=timeout
    )
    return f"Running stage '{stage}'" in ended.text


def run_dvc(
    arguments: tuple[str, ...],
    root: Path,
    say: Callable[[str], None],
    *,
    what: str,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Ended:
    """Run one DVC command; raises StageError or PassingError, with the last lines it printed, when it fails."""
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", *arguments]
    ended = run_command(command, say, cwd=root, environment=environment, timeout=timeout)
    if ended.timed_out:
        raise StageError(f"{what} was stopped", expected=f"an end within {timeout:.0f} s", action="allow it more time")
    if ended.code == 0:
        return ended
    kind = PassingError if PASSING.search(ended.text) else StageError
    raise kind(f"{what} failed", found=_reason(ended), action=f"see the lines above; then: dvc {' '.join(arguments)}")


def _reason(ended: Ended) -> str:
    """The stage's own error where it printed one, else the last line."""
    errors = [line for line in ended.lines if line.startswith("error: ")]
    return errors[-1] if errors else (ended.lines or (f"exit code {ended.code}",))[-1]
