"""Commands as processes that can be watched and that leave nothing behind, however they end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

GRACE_SECONDS = 30.0
KEPT_LINES = 200

_running: set[int] = set()


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative: the signal that killed it), its last lines, whether time was up."""

    code: int
    lines: tuple[str, ...]
    timed_out: bool = False

    @property
    def text(self) -> str:
        """The last lines as one text."""
        return "\n".join(self.lines)


def run_command(
    command: Sequence[str],
    say: Callable[[str], None],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Ended:
    """Run `command` in a session of its own and `say` each line it prints, as it comes.

    timeout: seconds until the whole process group is ended: SIGTERM first, SIGKILL after GRACE_SECONDS.
    The group is ended too when `say` raises or the caller is interrupted.
    """
    process = subprocess.Popen(  # noqa: S603 - the callers' fixed words and stage names
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    _running.add(process.pid)
    time_is_up = threading.Event()
    clock = threading.Timer(timeout, _stop_late, (process.pid, time_is_up)) if timeout else None
    lines: deque[str] = deque(maxlen=KEPT_LINES)
    try:
        if clock:
            clock.start()
        assert process.stdout is not None
        for line in process.stdout:
            if text := line.rstrip():
                lines.append(text)
                say(text)
        code = process.wait()
    finally:
        if clock:
            clock.cancel()
        stop_group(process.pid)
        process.wait()
        _running.discard(process.pid)
    return Ended(code, tuple(lines), timed_out=time_is_up.is_set())


def stop_all() -> None:
    """End every process group that run_command has started and not yet seen end."""
    for group in list(_running):
        _signal(group, signal.SIGTERM)
    for group in list(_running):
        stop_group(group)


def stop_group(group: int, grace: float = GRACE_SECONDS) -> None:
    """End a process group: SIGTERM, for a last checkpoint; SIGKILL for what is left after `grace` seconds."""
    _signal(group, signal.SIGTERM)
    end = time.monotonic() + grace
    while _alive(group):
        if time.monotonic() > end:
            _signal(group, signal.SIGKILL)
            return
        time.sleep(0.1)


def _stop_late(group: int, time_is_up: threading.Event) -> None:
    time_is_up.set()
    stop_group(group)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _alive(group: int) -> bool:
    """Whether a process of the group still runs; one that has ended and waits to be collected does not count."""
    for process in psutil.process_iter(["pid", "status"]):
        try:
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                return True
        except ProcessLookupError:
            continue
    return False
