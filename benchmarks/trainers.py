"""Our side of a training benchmark: the trainer, put together as the train stage does."""

from __future__ import annotations

from pathlib import Path

from ganops.data.packed import PackedImages
from ganops.data.spec import DataSpec
from ganops.games.build import build_game
from ganops.params import TrainParams
from ganops.recipe import Recipe
from ganops.training.best import Scorer
from ganops.training.callback import Callback
from ganops.training.hardware import choose_hardware, make_deterministic
from ganops.training.plan import make_plan
from ganops.training.randomness import seed_all
from ganops.training.trainer import Trainer


def make_trainer(
    recipe: Recipe,
    data: PackedImages,
    spec: DataSpec,
    settings: TrainParams,
    folder: Path,
    *,
    seed: int = 0,
    observer: Callback | None = None,
    scorer: Scorer | None = None,
) -> Trainer:
    """A deterministic trainer of samples of the form `spec`; folder: where its checkpoints lie."""
    seed_all(seed)
    game = build_game(recipe, spec)
    plan = make_plan(recipe, settings, next(iter(game.players)))
    hardware = choose_hardware(settings, plan.steps, data.images.dtype)
    make_deterministic(hardware.device)
    listener = observer or Callback()
    return Trainer(game, recipe, data, settings, plan, hardware, folder, seed, listener, scorer=scorer)
