"""A training small enough for a test: shrunk recipes, a few hundred 8-pixel digits, seconds on one core."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from torch import Tensor

from ganops.atomic import atomic_path
from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField, LabelTable
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.sampling import HeldOut, sample_outputs
from ganops.games.saved import SavedModel, save_game
from ganops.params import TrainParams
from ganops.progress import Progress
from ganops.recipe import Recipe, load_recipe
from ganops.registry.init_model import InitModel
from ganops.training.best import Validation
from ganops.training.callback import Callback
from ganops.training.distributed.process_group import ProcessGroup
from ganops.training.history import write_history
from ganops.training.interruption import Interruption
from ganops.training.job import TrainingJob
from ganops.training.randomness import seed_all
from ganops.training.trainer import Trainer

RECIPES = Path(__file__).resolve().parents[1] / "pipeline" / "recipes"
SPEC = DataSpec(
    fields={"image": ImageField(channels=1, size=8), "label": CategoryField(classes=tuple("0123456789"))},
)
PAIRS = DataSpec(fields={name: ImageField(channels=1, size=8) for name in ("image", "source")})
INKS = LabelTable(classes=("paper", "grey", "ink"))
MAPS = DataSpec(fields={"image": PAIRS.fields["image"], "source": LabelMapField(size=8, labels=INKS)})
DOMAINS = DataSpec(
    fields={
        **{"A": ImageField(channels=1, size=8), "A_label": CategoryField(classes=tuple("0123456789"))},
        **{"B": ImageField(channels=1, size=8), "B_label": CategoryField(classes=tuple("0123456789"))},
    },
    paired=False,
)
SMALL = {
    **{"width": 4, "widths": [16, 8], "latent_dim": 16, "max_width": 8, "group_width": 4, "layers": 1},
    **{"scales": 1, "hidden": 4, "embedding_dim": 6, "blocks": 1, "growth": 1},
}
# Of games: CUT compares 16 pixels of the image, of a convolution and of the only residual block.
SMALL_GAME = {"layers": [0, 1, 4], "projection": 8, "patches": 16, "unroll_steps": 2}
FIRST_MAPS = {"kind": "efficientnet-lite0", "layers": {"block0": 1.0}}
ALL_MAPS = ("srgan",)  # recipes whose perceptual loss keeps the whole network


def digits(count: int = 256) -> Rows:
    """Real 8x8 digits, as packed by the prepare stage."""
    return _all_digits().select(slice(0, count)).map(torch.clone)


@cache
def _all_digits() -> Rows:
    raw = load_digits()  # parses a text file
    images = torch.from_numpy(raw.images * (255 / 16)).to(torch.uint8)[:, None]
    return Rows({"image": images, "label": torch.from_numpy(raw.target).long()})


def pairs(count: int = 256) -> Rows:
    """Digits, and the same dark on light as their sources."""
    images = digits(count)["image"]
    return Rows({"image": images, "source": 255 - images})


def maps(count: int = 256) -> Rows:
    """Digits, and how dark each of their pixels is, in three classes, as their sources."""
    images = digits(count)["image"]
    return Rows({"image": images, "source": images // 86})


def domains(count: int = 256) -> list[Rows]:
    """Digits as domain A, and fewer of them, dark on light, as domain B."""
    found = digits(count + count // 2)
    a, b = found.select(slice(0, count)), found.select(slice(count, None))
    return [Rows({"A": a["image"], "A_label": a["label"]}), Rows({"B": 255 - b["image"], "B_label": b["label"]})]


def shrunk(name: str, kimg: float = 0.64, **changes: Any) -> Recipe:
    """A shipped recipe with small networks and a small budget; `changes` replace whole sections.

    One of the recipes with a perceptual loss keeps the whole feature network, the others its first maps.
    """
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    networks = {
        part: {key: SMALL.get(key, value) for key, value in section.items()}
        for part, section in recipe.networks.items()
    }
    if "decoder" in networks:  # the encoder of a VAE returns two numbers for each latent
        networks["encoder"]["latent_dim"] = 2 * networks["decoder"]["latent_dim"]
    game = {key: SMALL_GAME.get(key, value) for key, value in recipe.game.items()}
    if game.get("perceptual") and name not in ALL_MAPS:
        game["perceptual"] = game["perceptual"] | {"features": FIRST_MAPS}
    turns = {player: min(2, count) for player, count in recipe.turns.items()}
    small = {"networks": networks, "game": game, "turns": turns, "budget_kimg": kimg, "batch_size": 16}
    return recipe.model_copy(update=small | changes)


class MeanImage:
    """A validation metric that needs no classifier: how far the mean of a few samples is from the mean digit."""

    name = "mean_image"
    better: Literal["lower", "higher"] = "lower"

    def __call__(self, game: Game) -> float:
        mean = sample_outputs(game, 64, seed=3)["image"].float().mean(dim=0)
        return float((mean - digits()["image"].float().mean(dim=0)).square().mean())


class StopAfter(Interruption):
    """Asks for an end, with a checkpoint, after so many steps, as a signal would."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def requested(self) -> bool:
        self.left -= 1
        self.reason = "terminated by SIGTERM" if self.left == 0 else None
        return self.left == 0


def make_job(recipe: Recipe, seed: int = 0, start: Path | None = None, **params: Any) -> TrainingJob:
    """A job on the digits, in float32, without compilation; or on what the recipe needs of them.

    start: the model folder it starts from.
    """
    defaults: dict[str, Any] = {
        **{"device": "cpu", "precision": "float32", "compile": "never"},
        **{"sample_images": 16, "sample_times": 4, "checkpoint_seconds": 1e-9, "validate_kimg": 0.1},
    }
    model = InitModel(str(start), "digest", start) if start else None
    known = {"pairs": PAIRS, "label-maps": MAPS, "domains": DOMAINS}
    spec = next((known[need] for need in recipe.needs if need in known), SPEC)
    return TrainingJob("test", recipe, TrainParams(**(defaults | params)), seed, spec, "digits", model, "test")


def make_trainer(
    folder: Path,
    recipe: Recipe,
    callback: Callback | None = None,
    seed: int = 0,
    group: ProcessGroup | None = None,
    start: Path | None = None,
    validation: Validation | None = None,
    **params: Any,
) -> Trainer:
    """A trainer on the digits, deterministic, its steps captured as by default.

    validation: with `validate_kimg` 0.1 it is computed every six steps of 16.
    """
    job = make_job(recipe, seed, start, **params)
    known = {"pairs": [pairs()], "label-maps": [maps()], "domains": domains()}
    rows = next((known[need] for need in recipe.needs if need in known), [digits()])
    held_out = HeldOut(rows[0].select(slice(0, 64)), job.spec)
    return job.build(rows, folder, callback=callback, group=group, validation=validation, held_out=held_out)


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
    game = {f"game.{name}": tensor for name, tensor in trainer.game.state_dict().items()}
    return game | {f"ema.{name}": tensor for name, tensor in trainer.ema.game.state_dict().items()}


def train_to_the_end(folder: Path, name: str, kimg: float, interruption: Interruption | None = None) -> None:
    """What a child process does until it is killed; it leaves its weights when it has finished."""
    torch.set_num_threads(1)
    trainer = run(make_trainer(folder, shrunk(name, kimg)), interruption)
    write_history(folder / "history.csv", trainer.history)
    with atomic_path(folder / "weights.safetensors") as temporary:
        save_file({name: tensor.contiguous() for name, tensor in weights(trainer).items()}, temporary)
