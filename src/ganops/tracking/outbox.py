"""Records on their way to the tracking store: sent in order by a thread, and again when the store fails for a while."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

# What MLflow says when sending again cannot help: the record itself is refused, or its run is gone.
FINAL = frozenset({"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED", "UNAUTHENTICATED"})


@dataclass(frozen=True)
class Record:
    """One thing to tell the store; `label` names it in warnings."""

    label: str
    send: Callable[[], object]


class Outbox:
    """Takes records without waiting for the store; a failing or slow store never holds up the work.

    After a failure the same record is tried again after `pause` seconds, then after twice as long, up to five minutes.
    """

    LONGEST_PAUSE = 300.0
    LAST_PAUSE = 2.0

    def __init__(self, pause: float = 5.0) -> None:
        self.pause = pause
        self._waiting: deque[Record] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def put(self, label: str, send: Callable[[], object]) -> None:
        """Queue a record behind those that wait."""
        with self._changed:
            self._waiting.append(Record(label, send))
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)
                self._thread.start()

    def close(self, patience: float = 60.0) -> list[str]:
        """Wait at most `patience` seconds until everything is sent; the labels of what could not be sent."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(patience)
        return [record.label for record in list(self._waiting)]

    def _work(self) -> None:
        pause = self.pause
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                record = self._waiting[0]
            try:
                record.send()
            except Exception as error:  # whatever tracking does wrong, hours of training must not be lost to it
                if not is_final(error):
                    if pause == self.pause:
                        warn(f"the tracking store does not answer; work goes on, records are kept: {first_line(error)}")
                    self._rest(pause)
                    pause = min(2 * pause, self.LONGEST_PAUSE)
                    continue
                warn(f"the tracking store refused {record.label}: {first_line(error)}")
            if pause > self.pause:
                warn("the tracking store answers again; what was kept is being sent")
                pause = self.pause
            self._waiting.popleft()

    def _rest(self, pause: float) -> None:
        """Wait before the next attempt, less when the work is done and somebody waits for the end."""
        end = time.monotonic() + pause
        with self._changed:
            self._changed.wait_for(lambda: self._closing, timeout=pause)
        if self._closing:
            time.sleep(max(0.0, min(self.LAST_PAUSE, end - time.monotonic())))


def is_final(error: Exception) -> bool:
    """Whether sending the same record again is pointless."""
    if isinstance(error, FileNotFoundError | TypeError | ValueError):
        return True
    return getattr(error, "error_code", None) in FINAL


def warn(message: str) -> None:
    """Say it on stderr, where progress lines go too."""
    print(f"warning: {message}", file=sys.stderr, flush=True)


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
