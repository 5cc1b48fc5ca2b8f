"""Requests to stop: Ctrl-C, SIGTERM, or the end of the process that started the training."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

import psutil

WATCH_SECONDS = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Whether training was asked to end after the current step, and why."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.exit_code = 128 + signal.SIGTERM
        self._ancestors = _ancestors()
        self._checked = time.monotonic()

    def requested(self) -> bool:
        """Check now; cheap enough for every step.

        A training whose DVC was killed would continue as an orphan and write into a results folder that the next DVC
        has emptied; so it ends when one of its parent processes is gone.
        """
        if self.reason is None and time.monotonic() - self._checked > WATCH_SECONDS:
            self._checked = time.monotonic()
            if any(not ancestor.is_running() for ancestor in self._ancestors):
                self.reason = "the process that started this training has ended"
        return self.reason is not None

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.reason = "interrupted by Ctrl-C" if number == signal.SIGINT else "terminated by SIGTERM"
        self.exit_code = 128 + number


@contextmanager
def watch_for_interruption() -> Generator[Interruption]:
    """Catch SIGINT and SIGTERM for the duration of the block, in the main thread; elsewhere only watch ancestors."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    previous = {number: signal.signal(number, interruption._on_signal) for number in SIGNALS}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _ancestors() -> list[psutil.Process]:
    """The processes between this one and DVC, DVC included; none where DVC did not start this training."""
    if "DVC_STAGE" not in os.environ:
        return []
    chain: list[psutil.Process] = []
    for process in psutil.Process().parents():
        chain.append(process)
        try:
            if any("dvc" in part for part in process.cmdline()):
                return chain
        except psutil.Error:
            break
    return []
