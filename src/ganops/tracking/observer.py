"""What a training tells while it runs, written into its MLflow run."""

from __future__ import annotations

from math import isqrt

from torch import Tensor

from ganops.reporting.grids import image_grid
from ganops.tracking.tracked import TrackedRun
from ganops.training.health import HealthEvent
from ganops.training.history import Row
from ganops.training.observer import Observer


class RunObserver(Observer):
    """Curves, sample grids and health events into a run; what it has from before a kill is not logged again."""

    def __init__(self, run: TrackedRun) -> None:
        self.run = run

    def row(self, row: Row) -> None:
        """Log one row of curves."""
        self.run.log_curves([(int(row["step"]), {name: value for name, value in row.items() if name != "step"})])

    def samples(self, step: int, images: Tensor) -> None:
        """Log (N, C, H, W) uint8 images as a square grid."""
        self.run.log_samples(step, image_grid(images, columns=max(1, isqrt(len(images)))))

    def health(self, event: HealthEvent) -> None:
        """Log a sickness as a tag and a metric."""
        self.run.log_health(event.facts())
