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

import psutil

GRACE_SECONDS = 30.0
KEPT_LINES = 200


@dataclass(frozen=True)
class CompletedCommand:
    """How a command ended: its exit code (negative: the signal that killed it), its last lines, whether time was up."""

    code: int
    lines: tuple[str, ...]
    timed_out: bool = False

    @property
    def text(self) -> str:
        """The last lines as one text."""
        return "\n".join(self.lines)


class Processes:
    """The processes of one flow, each with all its children in a session of its own, so that all can be ended."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._lock = threading.Lock()
        self.stopped = False

    def run(
        self,
        command: Sequence[str],
        say: Callable[[str], None],
        *,
        environment: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> CompletedCommand:
        """Run `command` and `say` each line it prints, as it comes.

        timeout: seconds until the command and its children are ended. They are ended too when the caller is
        interrupted. Raises KeyboardInterrupt, and starts nothing, after `stop`.
        """
        with self._lock:
            if self.stopped:
                raise KeyboardInterrupt
            process = _start(command, environment or {})
            self._groups.add(process.pid)
        time_is_up = threading.Event()
        clock = threading.Timer(timeout, _end_late, (process.pid, time_is_up)) if timeout else None
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
            end_group(process.pid)
            process.wait()
            self._groups.discard(process.pid)
        return CompletedCommand(code, tuple(lines), timed_out=time_is_up.is_set())

    def stop(self) -> None:
        """End everything that runs, and let nothing start any more."""
        with self._lock:
            self.stopped = True
        groups = list(self._groups)
        for group in groups:
            _signal(group, signal.SIGTERM)
        for group in groups:
            end_group(group)


def end_group(group: int) -> None:
    """End a process group: SIGTERM, for a last checkpoint; SIGKILL for what is left after GRACE_SECONDS."""
    _signal(group, signal.SIGTERM)
    end = time.monotonic() + GRACE_SECONDS
    while _alive(group):
        if time.monotonic() > end:
            _signal(group, signal.SIGKILL)
            return
        time.sleep(0.1)


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - the callers' fixed words and stage names
        command,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def _end_late(group: int, time_is_up: threading.Event) -> None:
    time_is_up.set()
    end_group(group)


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
