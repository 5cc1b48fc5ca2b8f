"""A training small enough for a test: shrunk recipes, a few hundred 8-pixel digits, seconds on one core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from torch import Tensor

from ganops.atomic import atomic_path
from ganops.data.packed import PackedImages
from ganops.data.spec import DataSpec
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.sampling import sample_images
from ganops.games.saved import SavedModel, save_game
from ganops.games.transfer import transfer
from ganops.params import TrainParams
from ganops.progress import Progress
from ganops.recipe import Recipe, load_recipe
from ganops.training.best import Scorer
from ganops.training.callback import Callback
from ganops.training.distributed.process_group import Processes
from ganops.training.hardware import Hardware, make_deterministic
from ganops.training.history import write_history
from ganops.training.interruption import Interruption
from ganops.training.plan import make_plan
from ganops.training.randomness import seed_all
from ganops.training.trainer import Trainer

RECIPES = Path(__file__).resolve().parents[1] / "pipeline" / "recipes"
SPEC = DataSpec(shape=(1, 8, 8), classes=tuple("0123456789"))
SMALL = {"width": 4, "widths": [16, 8], "latent_dim": 16, "max_width": 8, "group_width": 4}


def digits(count: int = 256) -> PackedImages:
    """Real 8x8 digits, as packed by the prepare stage."""
    raw = load_digits()
    images = torch.from_numpy(raw.images[:count] * (255 / 16)).to(torch.uint8)[:, None]
    return PackedImages(images, torch.from_numpy(raw.target[:count]).long())


def shrunk(name: str, kimg: float = 0.64, **changes: Any) -> Recipe:
    """A shipped recipe with small networks and a small budget; `changes` replace whole sections."""
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    networks = {
        part: {key: SMALL.get(key, value) for key, value in section.items()}
        for part, section in recipe.networks.items()
    }
    return recipe.model_copy(update={"networks": networks, "budget_kimg": kimg, "batch_size": 16} | changes)


class MeanImage:
    """A validation metric that needs no classifier: how far the mean of a few samples is from the mean digit."""

    name = "mean_image"

    def __call__(self, game: Game) -> float:
        mean = torch.cat(list(sample_images(game, 64, seed=3))).float().mean(dim=0)
        return float((mean - digits().images.float().mean(dim=0)).square().mean())


class StopAfter(Interruption):
    """Asks for an end, with a checkpoint, after so many rounds, as a signal would."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.left = rounds

    def requested(self) -> bool:
        self.left -= 1
        self.reason = "terminated by SIGTERM" if self.left == 0 else None
        return self.left == 0


def make_trainer(
    folder: Path,
    recipe: Recipe,
    observer: Callback | None = None,
    seed: int = 0,
    processes: Processes | None = None,
    start: Path | None = None,
    scorer: Scorer | None = None,
    device: str = "cpu",
    graphs: bool = True,
    **params: Any,
) -> Trainer:
    """A trainer on the digits, in float32, deterministic.

    start: the model folder it starts from. scorer: with `validate_kimg` 0.1 it scores every six rounds of 16. graphs:
    rounds are recorded, as they are by default.
    """
    defaults: dict[str, Any] = {
        "sample_images": 16,
        "sample_times": 4,
        "checkpoint_seconds": 1e-9,
        "validate_kimg": 0.1,
    }
    settings = TrainParams(**(defaults | params))
    seed_all(seed)
    game = build_game(recipe, SPEC)
    if start is not None:
        transfer(game, recipe, start, "test")
    plan = make_plan(recipe, settings, next(iter(game.players)))
    hardware = Hardware(torch.device(device), torch.float32, compiled=False, graphs=graphs)
    make_deterministic(hardware.device)
    listener = observer or Callback()
    return Trainer(game, recipe, digits(), settings, plan, hardware, folder, seed, listener, processes, scorer)


def save_model(folder: Path, recipe: Recipe, seed: int = 5) -> Path:
    """A model folder of the recipe's networks, their weights drawn from `seed`."""
    seed_all(seed)
    save_game(folder, build_game(recipe, SPEC), SavedModel(name="trained", recipe=recipe, spec=SPEC))
    return folder


def run(trainer: Trainer, interruption: Interruption | None = None) -> Trainer:
    """Train to the end without a terminal."""
    bar = Progress("test", trainer.plan.steps * trainer.plan.images_per_step, "images")
    trainer.run(interruption or Interruption(), bar)
    return trainer


def weights(trainer: Trainer) -> dict[str, Tensor]:
    """Everything that training has changed: the trained networks and their average."""
    trained = {f"game.{name}": tensor for name, tensor in trainer.game.state_dict().items()}
    return trained | {f"average.{name}": tensor for name, tensor in trainer.ema.game.state_dict().items()}


def train_to_the_end(folder: Path, name: str, kimg: float, interruption: Interruption | None = None) -> None:
    """What a child process does until it is killed; it leaves its weights when it comes to the end."""
    torch.set_num_threads(1)
    trainer = run(make_trainer(folder, shrunk(name, kimg)), interruption)
    write_history(folder / "history.csv", trainer.history)
    with atomic_path(folder / "weights.safetensors") as temporary:
        save_file({name: tensor.contiguous() for name, tensor in weights(trainer).items()}, temporary)
