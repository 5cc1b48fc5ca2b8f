"""Services that tests start: each ends with all its children, and its log must hold no traceback.

A service may start and answer, and still fail at what it is there for. Its log is the place that says so.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Process = subprocess.Popen[str] | subprocess.Popen[bytes]


@contextmanager
def running(process: Process, log: Path) -> Iterator[None]:
    """End a service with all its children when the block ends; fail on a traceback in its log."""
    try:
        yield
    finally:
        end(process)
        fail_on_traceback(log)


def end(process: Process) -> None:
    """End the session that the process leads; kill it where it stays for 20 seconds."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def fail_on_traceback(log: Path) -> None:
    """Fail where a service printed a traceback, and show all that it printed."""
    said = log.read_text(errors="replace")
    if "Traceback" in said:
        raise AssertionError(f"there is a traceback in {log.name}:\n{said}")


def wait_for_answer(address: str, process: Process, log: Path, seconds: float = 180) -> None:
    """Wait until a service answers at `address`; raises where it ends, or takes too long."""

    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"a service ended before it answered:\n{log.read_text(errors='replace')}")
        try:
            with urllib.request.urlopen(address, timeout=5) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    wait_until(answers, seconds)


def wait_until(happened: Callable[[], bool], seconds: float) -> None:
    """Ask ten times a second; raises TimeoutError where it has not happened in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it has not happened in {seconds:g} s")
        time.sleep(0.1)


def free_port() -> int:
    """A port of this machine that no process listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
