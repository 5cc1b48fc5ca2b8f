"""The processes that train one game together: each computes its micro-batches, one of them reports."""

from __future__ import annotations

from torch import nn

from ganops.errors import TrainingError
from ganops.training.gradients import Gradients
from ganops.training.history import Row


class ProcessGroup:
    """Single-process implementation: every collective is a no-op. FabricGroup is the one of several processes.

    rank: this process, from 0; size: the number of processes. Process 0 tracks, validates and writes checkpoints.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def is_main_process(self) -> bool:
        """Whether this process is the one that reports."""
        return self.rank == 0

    def micro_batches(self, count: int) -> range:
        """Which of a batch's `count` micro-batches this process computes.

        Raises TrainingError where they cannot be shared equally.
        """
        if count % self.size:
            raise TrainingError(
                f"a batch of {count} micro-batches cannot be shared by {self.size} processes",
                code="micro-batches-not-shared",
                expected=f"micro_batches in the recipe: a multiple of {self.size}",
                found=str(count),
                action=f"set micro_batches: {self.size} in the recipe, or start fewer processes",
            )
        share = count // self.size
        return range(self.rank * share, (self.rank + 1) * share)

    def gradients(self, parameters: list[nn.Parameter]) -> Gradients:
        """What computes the gradients of a player's parameters: their mean over the processes."""
        return Gradients(parameters)

    def average_row(self, row: Row) -> Row:
        """The mean of a row of curves over the processes; all have the same curves."""
        return row

    def average_buffers(self, networks: nn.Module) -> None:
        """Replace floating-point buffers by their mean over the processes, pools of images by the main process's."""

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; all get the same answer."""
        return flag

    def all_equal(self, _number: int) -> bool:
        """Whether all processes hold the same number."""
        return True

    def barrier(self) -> None:
        """Wait until all processes are here."""
