"""The processes that train one game together: each computes its parts of a batch, one tells the outside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from ganops.errors import TrainingError
from ganops.training.gradients import Gradients
from ganops.training.history import Row


class Processes:
    """This process alone, for which sharing comes to nothing; several are FabricGroup.

    rank: this process, from 0; size: how many there are. Process 0 tracks, draws samples and writes checkpoints.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def is_main_process(self) -> bool:
        """Whether this process is the one that tells the outside."""
        return self.rank == 0

    def parts(self, count: int) -> range:
        """The parts of a batch, cut into `count`, that this process computes.

        Raises TrainingError where they cannot be shared out evenly.
        """
        if count % self.size:
            raise TrainingError(
                f"a batch of {count} parts cannot be shared by {self.size} processes",
                expected=f"parts in the recipe to be a multiple of {self.size}",
                action=f"set parts: {self.size} in the recipe, or start fewer processes",
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
        """Make running statistics (of batch norms) the mean over the processes."""

    def any(self, flag: bool) -> bool:
        """Whether any process says so; all get the same answer."""
        return flag

    def all_equal(self, _number: int) -> bool:
        """Whether all processes hold the same number."""
        return True

    def wait(self) -> None:
        """Wait until all processes are here."""


@contextmanager
def joined(device: str = "auto") -> Iterator[Processes]:
    """The processes that `torchrun` started, or this one alone where it was started without.

    device: as `train.device` in params.yaml. Raises TrainingError where there are fewer GPUs than processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    from ganops.training.distributed.fabric_group import joined_by_torchrun

    with joined_by_torchrun(device) as processes:
        yield processes
