"""Several processes train one game: `torchrun` starts them, Lightning Fabric joins them, DDP averages gradients.

A network wrapped by DDP can only be asked for its forward pass, and only once for each backward. In a GAN one network
runs several times in a turn, is asked for features, styles and weights, too, and is differentiated twice by a penalty.
So what is wrapped here is the turn: a module whose parameters are those that the player trains, and whose forward pass
is all that leads to its loss.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as distributed
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, nn

from ganops.errors import TrainingError
from ganops.training.distributed.process_group import Processes
from ganops.training.gradients import Gradients
from ganops.training.history import Row

PATIENCE = timedelta(minutes=10)


class FabricGroup(Processes):
    """This process and the others of its training."""

    def __init__(self, fabric: Fabric) -> None:
        super().__init__(fabric.global_rank, fabric.world_size)
        self._fabric = fabric
        # What is said beside the training goes from memory to memory, and does not wait for what a GPU has to do.
        self._words = distributed.new_group(timeout=PATIENCE, backend="gloo")

    def gradients(self, parameters: list[nn.Parameter]) -> Gradients:
        """Gradients that are the mean over the processes once a turn's last part has been added."""
        return _AveragedGradients(self._fabric, parameters)

    def average_row(self, row: Row) -> Row:
        """The mean of a row of curves over the processes; all have the same curves."""
        values = torch.tensor(list(row.values()), dtype=torch.float64)
        self._reduce(values, distributed.ReduceOp.SUM, self._words)
        return dict(zip(row, (values / self.size).tolist(), strict=True))

    def average_buffers(self, networks: nn.Module) -> None:
        """Make running statistics (of batch norms) the mean over the processes."""
        buffers = [buffer for buffer in networks.buffers() if buffer.is_floating_point()]
        if not buffers:
            return
        flat = torch.cat([buffer.reshape(-1) for buffer in buffers])
        self._reduce(flat, distributed.ReduceOp.SUM)
        for buffer, piece in zip(buffers, torch.split(flat, [b.numel() for b in buffers]), strict=True):
            buffer.copy_(piece.view_as(buffer) / self.size)

    def any(self, flag: bool) -> bool:
        """Whether any process says so; all get the same answer."""
        return self._largest(float(flag)) > 0

    def all_equal(self, number: int) -> bool:
        """Whether all processes hold the same number."""
        return self._largest(number) == -self._largest(-number)

    def wait(self) -> None:
        """Wait until all processes are here."""
        self._largest(0)

    def _largest(self, number: float) -> float:
        value = torch.tensor([number], dtype=torch.float64)
        self._reduce(value, distributed.ReduceOp.MAX, self._words)
        return float(value)

    @staticmethod
    def _reduce(
        values: Tensor, operation: distributed.ReduceOp.RedOpType, group: distributed.ProcessGroup | None = None
    ) -> None:
        # Not by Fabric: it lets every process wait for its device first, and this is done in every round.
        with _company():
            distributed.all_reduce(values, operation, group)


class _AveragedGradients(Gradients):
    def __init__(self, fabric: Fabric, parameters: list[nn.Parameter]) -> None:
        super().__init__(parameters)
        self._fabric = fabric
        with _company():
            self._turn = fabric.setup_module(_Turn(parameters), move_to_device=False)

    def add(self, loss: Callable[[], Tensor], *, last: bool) -> None:
        with _company(), self._fabric.no_backward_sync(self._turn, enabled=not last):
            self._fabric.backward(self._turn(loss), inputs=self._parameters)


class _Turn(nn.Module):
    """A player's turn in DDP's eyes: what is trained, and the loss that comes of it."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        super().__init__()
        self.trained = nn.ParameterList(parameters)

    def forward(self, loss: Callable[[], Tensor]) -> Tensor:
        return loss()


@contextmanager
def _company() -> Iterator[None]:
    """Turn what the loss of another process looks like into a word about it."""
    try:
        yield
    except RuntimeError as error:
        found = str(error).partition(". This is")[0]
        if not isinstance(error, distributed.DistError) and "gloo" not in found:
            raise
        raise TrainingError(
            "another process of this training is gone",
            found=found,
            action="start the same command again: it goes on from the last checkpoint",
        ) from error


@contextmanager
def joined_by_torchrun(device: str) -> Iterator[FabricGroup]:
    """The processes that `torchrun` started; see processes.joined."""
    size, here = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    if size % here:
        raise TrainingError(
            f"of {size} processes {here} are on this machine, so others have another number",
            action="give torchrun the same --nproc-per-node on every machine",
        )
    on_cuda = device != "cpu" and torch.cuda.is_available()
    if on_cuda and here > torch.cuda.device_count():
        raise TrainingError(
            f"{here} processes want a GPU each, and this machine has {torch.cuda.device_count()}",
            action=f"start {torch.cuda.device_count()} on it (train.processes), or set train.device: cpu",
        )
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # else each start is told in six lines
    fabric = Fabric(
        accelerator="cuda" if on_cuda else "cpu",
        strategy=DDPStrategy(timeout=PATIENCE, find_unused_parameters=True),  # a turn need not use all that is trained
        devices=here,
        num_nodes=size // here,
        plugins=[TorchElasticEnvironment()],
    )
    fabric.launch()
    yield FabricGroup(fabric)
    distributed.destroy_process_group()  # not after an error: it would wait for processes that are gone
