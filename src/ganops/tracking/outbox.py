"""Records on their way to the tracking store: sent by a thread, so that the work never waits for the store."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ganops.tracking.location import redact

# MLflow's codes for what is refused, or not there: asking again cannot help. Rights may come back: a token is renewed.
FINAL = frozenset({"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"})
PAUSE = 1.0  # seconds after a failed attempt


@dataclass(frozen=True)
class Record:
    """One thing to send to the store; `label` names it in warnings."""

    label: str
    send: Callable[[], object]


class Outbox:
    """Takes records without waiting for the store. A record that fails goes behind the others and is tried again."""

    def __init__(self) -> None:
        self._waiting: deque[Record] = deque()
        self._sent = 0
        self._changed = threading.Condition()
        self._closing = self._abandoned = self._warned = False
        self._thread: threading.Thread | None = None

    def put(self, label: str, send: Callable[[], object]) -> None:
        """Queue a record behind those that wait."""
        with self._changed:
            self._waiting.append(Record(label, send))
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)
                self._thread.start()

    def waiting(self) -> int:
        """How many records have not been sent yet."""
        with self._changed:
            return len(self._waiting)

    def close(self, patience: float = 60.0) -> list[str]:
        """Wait until everything is sent, or until nothing has been for `patience` seconds; the labels of the rest."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        sent, deadline = self._sent, time.monotonic() + patience
        while self._thread is not None and self._thread.is_alive() and time.monotonic() < deadline:
            self._thread.join(min(0.2, patience))
            if self._sent != sent:
                sent, deadline = self._sent, time.monotonic() + patience
        with self._changed:
            self._abandoned = True
            return [record.label for record in self._waiting]

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting or self._abandoned:
                    return
                record = self._waiting[0]
            failed = self._attempt(record)
            with self._changed:
                if failed:
                    self._waiting.rotate(-1)
                else:
                    self._waiting.popleft()
                    self._warned &= bool(self._waiting)
            if failed:
                time.sleep(PAUSE)

    def _attempt(self, record: Record) -> bool:
        """Send a record; whether it has to be sent again."""
        try:
            record.send()
        except Exception as error:  # whatever is wrong with tracking must not cost hours of training
            if not is_final(error):
                if not self._warned:
                    warn(f"the tracking store does not take records for now; work continues: {first_line(error)}")
                self._warned = True
                return True
            warn(f"the tracking store refused {record.label}: {first_line(error)}")
        self._sent += 1
        return False


def is_final(error: Exception) -> bool:
    """Whether sending the same record again is pointless."""
    if isinstance(error, FileNotFoundError | TypeError | ValueError):
        return True
    return getattr(error, "error_code", None) in FINAL


def warn(message: str) -> None:
    """Print a warning on stderr, where progress lines are too."""
    print(f"warning: {redact(message)}", file=sys.stderr, flush=True)


def first_line(error: Exception) -> str:
    """The first line of an error's text, without passwords."""
    lines = redact(str(error)).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
