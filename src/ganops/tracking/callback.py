"""What a training tells while it runs, written into its MLflow run."""

from __future__ import annotations

import time

from torch import Tensor

from ganops.reporting.samples import draw_samples
from ganops.tracking.tracked import TrackedRun
from ganops.training.callback import Callback
from ganops.training.health import HealthEvent
from ganops.training.history import Row

# Rows go out together: one by one, a database on disk would take one twentieth of the processor's time.
FLUSH_SECONDS = 5.0


class RunCallback(Callback):
    """Curves, sample grids and health events into a run; what it has from before a kill is not logged again."""

    def __init__(self, run: TrackedRun) -> None:
        self.run = run
        self._rows: list[tuple[int, Row]] = []
        self._flushed = time.monotonic()

    def row(self, row: Row) -> None:
        """Log one row of curves, together with those of the next few seconds."""
        self._rows.append((int(row["step"]), {name: value for name, value in row.items() if name != "step"}))
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send the rows that wait; to be called when no more will come."""
        self.run.log_curves(self._rows)
        self._rows, self._flushed = [], time.monotonic()

    def samples(self, step: int, images: Tensor) -> None:
        """Log packed samples (N, C, H, W) as a picture."""
        self.run.log_samples(step, draw_samples(images))

    def health(self, event: HealthEvent) -> None:
        """Log a sickness as a tag and a metric."""
        self.run.log_health(event.facts())
