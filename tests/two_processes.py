"""What each of two processes does in the tests of training with several."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from safetensors.torch import save_file
from tiny_training import MeanImage, make_trainer, run, shrunk, weights
from torch import Tensor, nn

from ganops.errors import TrainingError
from ganops.games.image_pool import ImagePool
from ganops.recipe import Recipe
from ganops.training.callback import Callback
from ganops.training.distributed.batch_norm import norms_across_processes
from ganops.training.distributed.join import join
from ganops.training.history import write_history
from ganops.training.interruption import watch_for_interruption

# No batch norm: a bias before one has a gradient of zero up to rounding, which Adam would turn into steps.
NETWORKS = {
    "generator": {"kind": "mlp-generator", "latent_dim": 8, "widths": [16], "norm": False},
    "discriminator": {"kind": "mlp-discriminator", "widths": [16]},
}


def two_part_recipe(name: str) -> Recipe:
    """A shipped recipe whose batches are computed in two micro-batches."""
    if name == "mlp":
        return shrunk(name, kimg=0.8, networks=NETWORKS, micro_batches=2)
    recipe = shrunk(name, kimg=0.16, micro_batches=2, **({"batch_norm": "processes"} if name == "dcgan" else {}))
    if recipe.game.get("augment", {}).get("kind") != "ada":
        return recipe
    quick = {"kind": "ada", "images": 32, "speed_kimg": 0.5, "target": -0.9}  # so that it acts at once
    return recipe.model_copy(update={"game": recipe.game | {"augment": quick}})


def train_as(
    _connection: Connection, rank: int, port: int, folder: Path, name: str, after: int, number: int = 0
) -> None:
    """One of two processes, as torchrun would start it; the second gets a signal after so many rows."""
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with join("cpu") as group:
        trainer = make_trainer(
            *(folder, two_part_recipe(name), Signalled(rank, after, number)),
            checkpoint_seconds=1e9,
            group=group,
            validation=MeanImage() if group.is_main_process else None,
        )
        try:
            with watch_for_interruption() as interruption:
                run(trainer, interruption)
        except TrainingError as error:
            (folder / f"error-{rank}.txt").write_text(error.code)
            raise SystemExit(1) from None
        trained = {name: tensor.contiguous() for name, tensor in weights(trainer).items()}
        save_file(trained, folder / f"weights-{rank}.safetensors")
        write_history(folder / f"history-{rank}.csv", trainer.history)


def norm_as(_connection: Connection, rank: int, port: int, folder: Path) -> None:
    """One of two processes with half of a batch each: outputs, gradients of a penalty, running statistics."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with join("cpu") as group:
        network = normed_network()
        norms_across_processes(network, two_part_recipe("mlp").model_copy(update={"batch_norm": "processes"}))
        half = slice(rank * NORM_ROWS // 2, (rank + 1) * NORM_ROWS // 2)
        gradients = group.gradients(list(network.parameters()))
        gradients.add(lambda: penalised(network, norm_rows()[half], norm_factors()[half]), last=True)
        save_file(network.state_dict() | found_gradients(network), folder / f"norm-{rank}.safetensors")


def pool_as(_connection: Connection, rank: int, port: int, folder: Path) -> None:
    """One of two processes: its buffers after they were averaged, when it has put images of its own into a pool."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with join("cpu") as group:
        networks = nn.ModuleDict({"pool": ImagePool(3, (1, 2, 2)), "norm": nn.BatchNorm2d(1)})
        networks["pool"](torch.full((2, 1, 2, 2), 1.0 + rank))
        networks["norm"](torch.full((2, 1, 2, 2), 20.0 + 20 * rank))
        group.average_buffers(networks)
        save_file(networks.state_dict(), folder / f"pool-{rank}.safetensors")


NORM_ROWS = 12


def norm_rows() -> Tensor:
    return torch.randn(NORM_ROWS, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * torch.arange(
        1, NORM_ROWS + 1
    ).view(-1, 1, 1, 1)


def norm_factors() -> Tensor:
    return torch.randn(NORM_ROWS, generator=torch.Generator().manual_seed(1))


def normed_network() -> nn.Sequential:
    """Two batch norms, after maps and after vectors."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Softplus(), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(64, 5), nn.BatchNorm1d(5), nn.Softplus(), nn.Linear(5, 1))


def penalised(network: nn.Sequential, rows: Tensor, factors: Tensor) -> Tensor:
    """A loss whose gradient needs second derivatives of the norms."""
    rows = rows.clone().requires_grad_()
    outputs = (network(rows).squeeze(1) * factors).sum()
    (slope,) = torch.autograd.grad(outputs, rows, create_graph=True)
    return outputs / len(rows) + slope.square().sum() / len(rows)


def found_gradients(network: nn.Sequential) -> dict[str, Tensor]:
    return {f"grad.{name}": weight.grad for name, weight in network.named_parameters() if weight.grad is not None}


class Signalled(Callback):
    """Sends process 1 a signal after so many rows, once."""

    def __init__(self, rank: int, rows: int, number: int) -> None:
        self.due, self.rows, self.number = rank == 1, rows, number

    def on_log(self, row: dict[str, float]) -> None:
        if self.due and row["step"] >= self.rows:
            self.due = False
            os.kill(os.getpid(), self.number)
