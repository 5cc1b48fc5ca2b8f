"""Admission by images: what is inside is bounded, and who is refused learns when to come again."""

from __future__ import annotations

import math
import threading
import time
from typing import Literal

from ganops.errors import GanopsError

WINDOW = 1.0  # seconds over which answers are counted at least
MEMORY = 10.0  # seconds within which the rate follows them: the time constant of a moving average
SLOWEST = 0.001  # images/s
LOADED = 1.0  # seconds of waiting from which the service works as fast as it can, so that its rate is known
LONGEST_WAIT = 600  # seconds that a refusal names at most

Ending = Literal["answered", "late", "dropped"]


class BusyError(GanopsError):
    """The backlog is full. retry_after: whole seconds until there should be room, at least 1."""

    def __init__(self, inside: int, most: int, retry_after: int) -> None:
        super().__init__(
            "the service is busy",
            code="busy",
            expected=f"at most {most:,} images that wait for their answers",
            found=f"{inside:,}",
            action=f"ask again in {retry_after} seconds",
        )
        self.retry_after = retry_after


class Admission:
    """Counts the images that were admitted and not yet answered, and how many are answered in a second.

    most: images inside at most. patience: seconds; a request that would wait longer than this is refused at once.
    rate: images/s to start from. By Little's law images wait for inside / rate seconds.
    """

    def __init__(self, most: int, patience: float, rate: float) -> None:
        self.most, self.patience, self.rate = most, patience, rate
        self.inside = 0
        self._lock = threading.Lock()
        self._since, self._answered = time.monotonic(), 0

    def enter(self, count: int) -> None:
        """Admit `count` images, or raise BusyError. Whoever comes into an empty service is always admitted."""
        with self._lock:
            self._refuse(count)
            self.inside += count

    def check(self) -> None:
        """Raise BusyError where not even one image would be admitted: asked before a body is read."""
        with self._lock:
            self._refuse(1)

    def leave(self, count: int, ending: Ending) -> None:
        """Take `count` images out of the backlog.

        ending: "late" means that they missed their deadline, so the rate is too high; "dropped" leaves it as it is.
        """
        with self._lock:
            loaded = self.inside / self.rate >= LOADED
            self.inside -= count
            if not loaded:
                self._since, self._answered = time.monotonic(), 0
            elif ending != "dropped":
                self._answered += count if ending == "answered" else 0
                self._measure()

    def _refuse(self, count: int) -> None:
        total = self.inside + count
        if self.inside and (total > self.most or total / self.rate > self.patience):
            room = min(self.most, self.patience * self.rate) / 2
            seconds = math.ceil((total - room) / self.rate)
            raise BusyError(self.inside, self.most, min(LONGEST_WAIT, max(1, seconds)))

    def _measure(self) -> None:
        elapsed = time.monotonic() - self._since
        if elapsed >= WINDOW:
            share = 1 - math.exp(-elapsed / MEMORY)
            self.rate = max(SLOWEST, self.rate + share * (self._answered / elapsed - self.rate))
            self._since, self._answered = time.monotonic(), 0
