"""What a training tells the outside while it runs; tracking and pictures are made by whoever listens."""

from __future__ import annotations

from torch import Tensor

from ganops.training.health import HealthEvent
from ganops.training.history import Row


class Callback:
    """Listens to a training; every method may be left as it is. Must not change what it is given."""

    def resumed(self, step: int) -> None:
        """Training goes on from a checkpoint; what came after round `step` will be told again, identically."""

    def row(self, row: Row) -> None:
        """One row of curves: `step`, `kimg` and each curve's mean since the row before."""

    def samples(self, step: int, images: Tensor) -> None:
        """(N, C, H, W) images, in the packed form, of the fixed latents after round `step`."""

    def health(self, event: HealthEvent) -> None:
        """Something sick began."""
