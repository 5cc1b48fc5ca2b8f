"""DVC's commands inside a flow; a failure says whether trying again can help."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from ganops.errors import GanopsError
from pipeline.flows.causes import cause_of
from pipeline.flows.command_group import CommandGroup, CompletedCommand

# Another DVC works on the same files, for as long as its stage takes: --wait-for-lock does not wait for that.
BUSY = re.compile(r"it is being blocked by")
BUSY_PAUSE = 3.0
LOCKS = Path(".dvc/tmp/rwlock")  # which process works on which files

# What passes by itself: a git at work in this checkout, a server or network that does not answer, a machine that
# killed the process (memory, preemption: a training resumes from its checkpoint).
TRANSIENT = re.compile(
    rf"exited with ({os.EX_TEMPFAIL}|-9|137)\b"
    r"|Unable to acquire lock|index\.lock"
    r"|ECONNRESET|Connection (reset|refused|aborted|timed out)|Temporary failure in name resolution"
    r"|database is locked"
)
ERROR, DVC_ERROR = "error: ", "ERROR: "
DETAIL = re.compile(r"^  (expected|found|to do): (.*)$")


class StageError(GanopsError):
    """A command of the pipeline failed; trying again cannot help."""


class TransientError(StageError):
    """A command of the pipeline failed for a reason that passes by itself."""


def run_dvc(
    *arguments: str,
    commands: CommandGroup,
    log: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    name: str = "",
) -> CompletedCommand:
    """Run one DVC command in this checkout; another DVC at work on the same files is waited for.

    timeout: seconds. name: what an error calls the command. Raises StageError, or TransientError where trying again can
    help, with the error that was printed.
    """
    name = name or f"dvc {' '.join(arguments)}"
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", *arguments]
    ended = commands.run(command, log, environment=environment, timeout=timeout)
    while ended.code and not ended.timed_out and BUSY.search(ended.text):
        _drop_dead_locks()
        log(f"another DVC is at work on the same files: waiting for {name}")
        time.sleep(BUSY_PAUSE)
        ended = commands.run(command, log, environment=environment, timeout=timeout)
    if ended.timed_out:
        raise StageError(
            f"{name} was stopped",
            code="stage-timeout",
            expected=f"an end within {timeout:,.0f} s",
            action="allow a stage more time: --stage-hours",
        )
    if ended.code:
        raise _error(name, ended)
    return ended


def reproduce(
    stage: str,
    commands: CommandGroup,
    log: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    *,
    force: bool = False,
    upstream: bool = False,
    pull: bool = False,
) -> tuple[str, ...]:
    """Let DVC run one stage if it has to (or by `force`), with `upstream` those before it too; names of those that ran.

    pull: results that the run cache knows are fetched from the DVC remote. Raises as run_dvc does.
    """
    ran: list[str] = []

    def watch(line: str) -> None:
        if started := re.match(r"Running stage '([^']+)'", line):
            ran.append(started[1])
        log(line)

    options = [*([] if upstream else ["--single-item"]), *(["--force"] if force else []), *(["--pull"] if pull else [])]
    run_dvc(
        "repro", *options, stage, commands=commands, log=watch, environment=environment, timeout=timeout, name=stage
    )
    return tuple(ran)


def _drop_dead_locks() -> None:
    """Remove DVC's file of locks, as its message advises, where no process in it is the one that wrote there.

    DVC looks at the number alone: after a restart of the machine it waits for ever for whatever has the number now.
    """
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        locks = json.loads(LOCKS.read_text(encoding="utf-8"))
        holders = [*locks["write"].values(), *(each for readers in locks["read"].values() for each in readers)]
        if not any(_lives(each["pid"], each["cmd"]) for each in holders):
            LOCKS.unlink()


def _lives(pid: int, command: str) -> bool:
    """Whether a process is the one whose `sys.argv` was `command`."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False
    return bool(words) and command.endswith(words[-1])


def _error(name: str, ended: CompletedCommand) -> StageError:
    """The stage's own error where it printed one, else what the tools said."""
    kind = TransientError if TRANSIENT.search(ended.text) else StageError
    starts = [number for number, line in enumerate(ended.lines) if line.startswith(ERROR)]
    if not starts:
        found, action = cause_of(ended.lines)
        found = found or f"exit code {ended.code}"
        return kind(f"{name} failed", code="stage-failed", found=found, action=action or "see the log")
    first, *rest = ended.lines[starts[-1] :]
    message, details = [first.removeprefix(ERROR)], dict[str, str]()
    for line in rest:
        if not line.startswith("  "):
            break
        if detail := DETAIL.match(line):
            details[detail[1]] = detail[2]
        else:
            message.append(line)
    return kind(
        f"{name} failed: " + "\n".join(message),
        code="stage-failed",
        expected=details.get("expected", ""),
        found=details.get("found", ""),
        action=details.get("to do", ""),
    )
