"""Several processes train one game: `torchrun` starts them, Lightning Fabric joins them, DDP averages gradients.

DDP allows one forward pass of a wrapped network per backward pass. In a GAN a network runs several times in a turn,
also returns features, styles and weights, and is differentiated twice by a penalty. So DDP wraps the turn instead: a
module whose parameters are those that the player trains, and whose forward pass computes the player's loss.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as distributed
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, nn

from ganops.errors import TrainingError
from ganops.games.image_pool import ImagePool
from ganops.training.distributed.process_group import ProcessGroup
from ganops.training.gradients import Gradients
from ganops.training.history import Row

TIMEOUT = timedelta(minutes=10)


class FabricGroup(ProcessGroup):
    """This process and the others of its training."""

    def __init__(self, fabric: Fabric) -> None:
        super().__init__(fabric.global_rank, fabric.world_size)
        self._fabric = fabric
        # Flags and rows of curves travel between CPUs, without waiting for a GPU's queue.
        group = distributed.new_group(timeout=TIMEOUT, backend="gloo")
        assert isinstance(group, distributed.ProcessGroup), "every process is a member"
        self._cpu_group = group

    def gradients(self, parameters: list[nn.Parameter]) -> Gradients:
        """Gradients that are the mean over the processes once a turn's last micro-batch has been added."""
        return _AveragedGradients(self._fabric, parameters)

    def average_row(self, row: Row) -> Row:
        """The mean of a row of curves over the processes; all have the same curves."""
        values = torch.tensor(list(row.values()), dtype=torch.float64)
        self._reduce(values, distributed.ReduceOp.SUM, self._cpu_group)
        return dict(zip(row, (values / self.size).tolist(), strict=True))

    def average_buffers(self, networks: nn.Module) -> None:
        """Replace floating-point buffers (running statistics of batch norms) by their mean over the processes.

        The mean of two images is not an image: pools hold those of the main process in all of them.
        """
        pools = [module.images for module in networks.modules() if isinstance(module, ImagePool)]
        with _peer_loss_as_error():
            for pool in pools:
                distributed.broadcast(pool, 0)
        images = {id(pool) for pool in pools}
        buffers = [each for each in networks.buffers() if each.is_floating_point() and id(each) not in images]
        if not buffers:
            return
        flat = torch.cat([buffer.reshape(-1) for buffer in buffers])
        self._reduce(flat, distributed.ReduceOp.SUM)
        for buffer, piece in zip(buffers, torch.split(flat, [b.numel() for b in buffers]), strict=True):
            buffer.copy_(piece.view_as(buffer) / self.size)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; all get the same answer."""
        return self._largest(float(flag)) > 0

    def all_equal(self, number: int) -> bool:
        """Whether all processes hold the same number."""
        return self._largest(number) == -self._largest(-number)

    def barrier(self) -> None:
        """Wait until all processes are here."""
        self._largest(0)

    def _largest(self, number: float) -> float:
        value = torch.tensor([number], dtype=torch.float64)
        self._reduce(value, distributed.ReduceOp.MAX, self._cpu_group)
        return float(value)

    @staticmethod
    def _reduce(
        values: Tensor, operation: distributed.ReduceOp.RedOpType, group: distributed.ProcessGroup | None = None
    ) -> None:
        # Not by Fabric, which synchronises with the device first: this happens in every step.
        with _peer_loss_as_error():
            distributed.all_reduce(values, operation, group)


class _AveragedGradients(Gradients):
    def __init__(self, fabric: Fabric, parameters: list[nn.Parameter]) -> None:
        super().__init__(parameters)
        self._fabric = fabric
        with _peer_loss_as_error():
            self._turn = fabric.setup_module(_Turn(parameters), move_to_device=False)

    def add(self, loss: Callable[[], Tensor], *, last: bool) -> None:
        with _peer_loss_as_error(), self._fabric.no_backward_sync(self._turn, enabled=not last):
            self._fabric.backward(self._turn(loss), inputs=self._parameters)


class _Turn(nn.Module):
    """A player's turn as DDP sees it: the trained parameters, and a forward pass that returns the loss."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        super().__init__()
        self.trained = nn.ParameterList(parameters)

    def forward(self, loss: Callable[[], Tensor]) -> Tensor:
        return loss()


@contextmanager
def _peer_loss_as_error() -> Generator[None]:
    """Translate the error that the loss of another process causes into a TrainingError."""
    try:
        yield
    except RuntimeError as error:
        found = str(error).partition(". This is")[0]
        if not isinstance(error, distributed.DistError) and "gloo" not in found:
            raise
        raise TrainingError(
            "another process of this training has ended",
            code="process-lost",
            found=found,
            action="run the same command again: training resumes from the last checkpoint",
        ) from error


@contextmanager
def joined_by_torchrun(device: str) -> Generator[FabricGroup]:
    """The group of the processes that `torchrun` started; see `join`."""
    size, here = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    if size % here:
        raise TrainingError(
            "the machines of this training have different numbers of processes",
            code="uneven-processes",
            expected=f"a divisor of all {size} processes on each machine",
            found=f"{here} on this one",
            action="give torchrun the same --nproc-per-node on every machine",
        )
    on_cuda = device != "cpu" and torch.cuda.is_available()
    if on_cuda and here > torch.cuda.device_count():
        raise TrainingError(
            "there are fewer GPUs than processes on this machine",
            code="too-few-gpus",
            expected=f"{here}, one for each process",
            found=str(torch.cuda.device_count()),
            action=f"set train.processes: {torch.cuda.device_count()}, or train.device: cpu",
        )
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it prints six lines at each start otherwise
    fabric = Fabric(
        accelerator="cuda" if on_cuda else "cpu",
        strategy=DDPStrategy(timeout=TIMEOUT, find_unused_parameters=True),  # a turn need not use all parameters
        devices=here,
        num_nodes=size // here,
        plugins=[TorchElasticEnvironment()],
    )
    fabric.launch()
    yield FabricGroup(fabric)
    distributed.destroy_process_group()  # not after an error: it would wait for lost processes
