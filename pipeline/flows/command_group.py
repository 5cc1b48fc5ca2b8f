"""Commands that can be watched and that leave no process behind, however they end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ganops.tracking.location import redact

GRACE_SECONDS = 30.0  # between SIGTERM, upon which a training writes a checkpoint, and SIGKILL
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


class CommandGroup:
    """The commands of one flow, each with all its children in a session of its own, so that all can be ended.

    The children of a command have its standard output: when that is closed, all of them have ended.
    """

    def __init__(self) -> None:
        self._running: dict[int, threading.Timer | None] = {}  # process group to what will kill it
        self._changed = threading.Condition(threading.RLock())
        self._stopped = False

    def run(
        self,
        command: Sequence[str],
        log: Callable[[str], None],
        *,
        environment: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> CompletedCommand:
        """Run `command` and `log` each line it prints, as it comes.

        timeout: seconds until the command and its children are ended. They are ended too when `log` raises. Raises
        KeyboardInterrupt, and starts nothing, after `stop`.
        """
        with self._changed:
            if self._stopped:
                raise KeyboardInterrupt
            process = _start(command, environment or {})
            self._running[process.pid] = None
        assert process.stdout is not None
        lines: deque[str] = deque(maxlen=KEPT_LINES)
        timed_out = threading.Event()

        def end_late() -> None:
            timed_out.set()
            self._end(process.pid)

        clock = threading.Timer(timeout or 0, end_late)
        try:
            if timeout:
                clock.start()
            for line in process.stdout:
                if text := redact(line.rstrip()):
                    lines.append(text)
                    log(text)
            code = process.wait()
        finally:
            clock.cancel()
            self._end(process.pid)
            process.stdout.read()
            process.wait()
            self._forget(process.pid)
        return CompletedCommand(code, tuple(lines), timed_out=timed_out.is_set())

    def stop(self) -> None:
        """End everything that runs, let nothing start any more, and return when all has ended."""
        with self._changed:
            self._stopped = True
            for group in self._running:
                self._end(group)
            self._changed.wait_for(lambda: not self._running, timeout=GRACE_SECONDS + 5)

    def _end(self, group: int) -> None:
        """SIGTERM to the command and its children, SIGKILL to what is left of them after the grace."""
        with self._changed:
            if group in self._running and self._running[group] is None:
                _signal(group, signal.SIGTERM)
                self._running[group] = killer = threading.Timer(GRACE_SECONDS, _signal, (group, signal.SIGKILL))
                killer.daemon = True
                killer.start()

    def _forget(self, group: int) -> None:
        with self._changed:
            if killer := self._running.pop(group):
                killer.cancel()
                _signal(group, signal.SIGKILL)  # to what has closed its output and ignored SIGTERM
            self._changed.notify_all()


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


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
