"""Logs a running training into its MLflow run."""

from __future__ import annotations

import time

from ganops.data.fields.field import Schema
from ganops.data.rows import Rows
from ganops.tracking.tracked import TrackedRun
from ganops.training.callback import Callback
from ganops.training.health import HealthEvent
from ganops.training.history import Row

# Rows are sent together: one by one, a database on disk would take a twentieth of the processor's time.
FLUSH_SECONDS = 5.0


class RunCallback(Callback):
    """Logs curves, sample grids and health events; what the run has from before a kill is not logged again.

    schema: the fields of the sample rows; the first one that can be drawn is.
    """

    def __init__(self, run: TrackedRun, schema: Schema) -> None:
        self.run, self.schema = run, schema
        self._rows: list[tuple[int, Row]] = []
        self._flushed = time.monotonic()

    def on_log(self, row: Row) -> None:
        """Log one row of curves, together with those of the next few seconds."""
        self._rows.append((int(row["step"]), {name: value for name, value in row.items() if name != "step"}))
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send the collected rows; call it when the training has ended."""
        self.run.log_curves(self._rows)
        self._rows = []
        self._flushed = time.monotonic()

    def on_samples(self, step: int, rows: Rows) -> None:
        """Log a picture of the stored samples."""
        pictures = (self.schema[name].draw(column) for name, column in rows.items() if name in self.schema)
        picture = next((picture for picture in pictures if picture is not None), None)
        if picture is not None:
            self.run.log_samples(step, picture)

    def on_health(self, event: HealthEvent) -> None:
        """Log the event as a tag and a metric."""
        self.run.log_health(event.facts())
