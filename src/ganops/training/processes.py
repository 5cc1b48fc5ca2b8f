"""Several processes train one game: each computes its parts of a batch, gradients are averaged, one tells the outside.

Gradients are averaged by hand rather than by a wrapper around each network: in a GAN one network runs several times in
a turn, with and without gradients, and under a penalty that differentiates twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as distributed
from torch import Tensor, nn

from ganops.errors import TrainingError
from ganops.training.history import Row

PATIENCE = timedelta(minutes=10)


class Processes:
    """The processes of one training; alone, every method is a no-op.

    rank: this process, from 0; size: how many there are. Process 0 tracks, draws samples and writes checkpoints.
    """

    def __init__(self, rank: int = 0, size: int = 1, device: torch.device | None = None) -> None:
        self.rank, self.size = rank, size
        self.device = device or torch.device("cpu")

    @property
    def leads(self) -> bool:
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

    def average_gradients(self, parameters: list[nn.Parameter]) -> None:
        """Replace each gradient by its sum over the processes, which each hold their share of the mean."""
        if self.size == 1:
            return
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        self._all_reduce(flat)
        for parameter, piece in zip(parameters, torch.split(flat, [p.numel() for p in parameters]), strict=True):
            parameter.grad = torch.empty_like(parameter).copy_(piece.view_as(parameter))

    def average_row(self, row: Row) -> Row:
        """The mean of a row of curves over the processes; all have the same curves."""
        if self.size == 1:
            return row
        values = torch.tensor(list(row.values()), dtype=torch.float64, device=self.device)
        self._all_reduce(values)
        return dict(zip(row, (values / self.size).tolist(), strict=True))

    def average_buffers(self, networks: nn.Module) -> None:
        """Make running statistics (of batch norms) the mean over the processes."""
        if self.size == 1:
            return
        buffers = [buffer for buffer in networks.buffers() if buffer.is_floating_point()]
        if not buffers:
            return
        flat = torch.cat([buffer.reshape(-1) for buffer in buffers])
        self._all_reduce(flat)
        for buffer, piece in zip(buffers, torch.split(flat, [b.numel() for b in buffers]), strict=True):
            buffer.copy_(piece.view_as(buffer) / self.size)

    def any(self, flag: bool) -> bool:
        """Whether any process says so; all get the same answer."""
        return bool(self._largest(float(flag)) > 0)

    def agree_on(self, number: int) -> bool:
        """Whether all processes hold the same number."""
        return self._largest(number) == -self._largest(-number)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            self._all_reduce(torch.zeros(1, device=self.device))

    def _largest(self, number: float) -> float:
        if self.size == 1:
            return number
        value = torch.tensor([number], dtype=torch.float64, device=self.device)
        self._all_reduce(value, distributed.ReduceOp.MAX)
        return float(value)

    def _all_reduce(self, tensor: Tensor, operation: distributed.ReduceOp.RedOpType = distributed.ReduceOp.SUM) -> None:
        try:
            distributed.all_reduce(tensor, operation)
        except RuntimeError as error:
            raise TrainingError(
                "another process of this training is gone",
                found=str(error).partition(". This is")[0],
                action="start the same command again: it goes on from the last checkpoint",
            ) from error


@contextmanager
def joined() -> Iterator[Processes]:
    """The processes that `torchrun` started, or this one alone where it was started without."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Processes()
        return
    on_cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if on_cuda else torch.device("cpu")
    if on_cuda:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if on_cuda else "gloo", timeout=PATIENCE)
    yield Processes(distributed.get_rank(), size, device)
    distributed.destroy_process_group()  # not after an error: it would wait for processes that are gone
