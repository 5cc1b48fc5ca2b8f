"""What each of two processes does in the tests of training with several."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from safetensors.torch import save_file
from tiny_training import MeanImage, make_trainer, run, shrunk, weights

from ganops.errors import TrainingError
from ganops.recipe import Recipe
from ganops.training.callback import Callback
from ganops.training.distributed.join import join
from ganops.training.history import write_history

# No batch norm: a bias before one has a gradient of zero up to rounding, which Adam would turn into steps.
NETWORKS = {
    "generator": {"kind": "mlp-generator", "latent_dim": 8, "widths": [16], "norm": False},
    "discriminator": {"kind": "mlp-discriminator", "widths": [16]},
}


def two_part_recipe(name: str) -> Recipe:
    """A shipped recipe whose batches are computed in two micro-batches."""
    if name == "mlp":
        return shrunk(name, kimg=0.8, networks=NETWORKS, micro_batches=2)
    recipe = shrunk(name, kimg=0.16, micro_batches=2)
    if recipe.game.get("augment", {}).get("kind") != "ada":
        return recipe
    quick = {"kind": "ada", "images": 32, "speed_kimg": 0.5, "target": -0.9}  # so that it acts at once
    return recipe.model_copy(update={"game": recipe.game | {"augment": quick}})


def train_as(rank: int, port: int, folder: Path, name: str, dies_after: int) -> None:
    """One of two processes, as torchrun would start it; the second may end in the middle."""
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with join("cpu") as group:
        trainer = make_trainer(
            *(folder, two_part_recipe(name), Dying(rank, dies_after)),
            checkpoint_seconds=1e9,
            group=group,
            validation=MeanImage() if group.is_main_process else None,
        )
        try:
            run(trainer)
        except TrainingError as error:
            (folder / f"error-{rank}.txt").write_text(error.code)
            raise SystemExit(1) from None
        trained = {name: tensor.contiguous() for name, tensor in weights(trainer).items()}
        save_file(trained, folder / f"weights-{rank}.safetensors")
        write_history(folder / f"history-{rank}.csv", trainer.history)


class Dying(Callback):
    """Ends process 1 abruptly after so many rows."""

    def __init__(self, rank: int, rows: int) -> None:
        self.rank, self.rows = rank, rows

    def on_log(self, row: dict[str, float]) -> None:
        if self.rank == 1 and row["step"] >= self.rows:
            os._exit(9)
