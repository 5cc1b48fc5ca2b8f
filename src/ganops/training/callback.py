"""What a training reports while it runs; callbacks track it and draw pictures."""

from __future__ import annotations

from ganops.data.rows import Rows
from ganops.training.health import HealthEvent
from ganops.training.history import Row


class Callback:
    """Receives the events of a training; override what you need. A callback must not change what it is given."""

    def on_resume(self, step: int) -> None:
        """Training resumes from a checkpoint. Everything after `step` will be reported again, identically."""

    def on_log(self, row: Row) -> None:
        """One row of curves: `step`, `kimg` and the mean of each curve since the previous row."""

    def on_samples(self, step: int, rows: Rows) -> None:
        """Stored outputs of the fixed inputs and latents after `step`."""

    def on_health(self, event: HealthEvent) -> None:
        """The training has become unhealthy."""
