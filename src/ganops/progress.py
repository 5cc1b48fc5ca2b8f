"""One line that says how far a long piece of work is, how fast it goes and how long it will still take."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

from tqdm import tqdm

PLAIN_LINE_SECONDS = 3.0
BAR_WIDTH = 20


class Progress:
    """Progress of `total` units of work.

    On a terminal a bar that redraws itself; elsewhere (CI, Prefect, a file) a plain line every few seconds and one
    at the end, each with a drawn bar, the rate and the time left.
    """

    def __init__(self, label: str, total: int, unit: str, done: int = 0) -> None:
        self.label, self.total, self.unit, self.done = label, total, unit, done
        self._first, self._start = done, time.monotonic()
        self._printed = self._start
        self._note = ""
        self._bar = (
            tqdm(total=total, desc=label, unit=f" {unit}", initial=done, unit_scale=True, dynamic_ncols=True)
            if sys.stderr.isatty()
            else None
        )

    def begin_at(self, done: int) -> None:
        """`done` units were finished before: the rate and the time left are measured from here and now."""
        self.done = self._first = done
        self._start = time.monotonic()
        if self._bar is not None:
            self._bar.reset(self.total)
            self._bar.initial = self._bar.n = self._bar.last_print_n = done
            self._bar.refresh()

    def update(self, done: int, note: str = "") -> None:
        """Say that `done` units are finished in all; `note` ends the line (latest curves, health)."""
        step, self.done, self._note = done - self.done, done, note
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(step)
        elif time.monotonic() - self._printed >= PLAIN_LINE_SECONDS:
            self._print()

    def close(self) -> None:
        """Draw the last state."""
        if self._bar is not None:
            self._bar.close()
        else:
            self._print()

    def line(self) -> str:
        """The plain line of this moment."""
        share = min(self.done / self.total, 1.0) if self.total else 1.0
        filled = round(share * BAR_WIDTH)
        rate = (self.done - self._first) / max(time.monotonic() - self._start, 1e-9)
        left = _clock((self.total - self.done) / rate) if rate > 0 else "-:--"
        parts = (
            f"{self.label:<18}",
            f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}]",
            f"{share:4.0%}",
            f"{self.done:,}/{self.total:,} {self.unit}",
            f"{rate:,.0f} {self.unit}/s",
            f"left {left}",
            self._note,
        )
        return "  ".join(part for part in parts if part)

    def _print(self) -> None:
        self._printed = time.monotonic()
        print(self.line(), file=sys.stderr, flush=True)


@contextmanager
def progress(label: str, total: int, unit: str, done: int = 0) -> Generator[Progress]:
    """A Progress that is closed when the block ends, however it ends."""
    bar = Progress(label, total, unit, done)
    try:
        yield bar
    finally:
        bar.close()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
