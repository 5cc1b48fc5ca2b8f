"""A recipe: one GAN as a YAML file: networks, game, optimisers and budget."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from ganops.errors import SettingsError
from ganops.settings import Settings, nearest, read_yaml, validate


class OptimizerSettings(Settings):
    """One player's optimiser and its learning rate over time.

    schedule: "constant", or "linear" (to zero over the budget) or "cosine" (likewise).
    """

    kind: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    lr: float = Field(gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup_kimg: float = Field(default=0.0, ge=0)


class EmaSettings(Settings):
    """Exponential moving average of the networks that make samples (Karras et al. 2018, arXiv:1710.10196).

    half_life_kimg: after so many thousand images a weight's share has fallen to one half.
    rampup: the half life never exceeds this share of the images shown so far, so that early samples are not stale.
    """

    half_life_kimg: float = Field(gt=0)
    rampup: float = Field(default=0.05, gt=0)


class HealthSettings(Settings):
    """What is done when training falls sick: warn, stop with a reason, or recover from the last healthy checkpoint.

    Losses or weights that are no numbers end a training under "warn" too, since nothing good can come after them.
    """

    on_unhealthy: Literal["warn", "stop", "recover"] = "warn"
    max_recoveries: int = Field(default=2, ge=0)


class InitSettings(Settings):
    """Start from a trained model instead of from fresh weights (Wang et al. 2018, arXiv:1805.01677).

    model: models:/NAME@ALIAS, models:/NAME/VERSION, or a model folder.
    fresh: parts that start anew all the same, because the model's do not fit.
    freeze: parts that are never trained, as the discriminator's lower layers (Mo et al. 2020, arXiv:2002.10964).
    A part is a network or something inside it, `discriminator.layers.0`, named as `ganops recipes show` names it.
    """

    model: str = Field(min_length=1)
    fresh: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()


class Recipe(Settings):
    """All of a recipe file.

    The sections under `networks` and `game` have a `kind`; the file that defines the kind checks the rest of it.
    image_size, channels: what the networks are built for; null means as the prepared data are.
    batch_size: images per turn; parts: equal parts it is computed in, one after the other or one per process, their
        gradients averaged. A batch norm sees one part.
    seed: of weights, noise and data order; null means that of params.yaml. Recipes that are the same but for their seed
        are one candidate on the leaderboard, with a spread.
    budget_kimg: thousands of real images shown to the first player.
    images: how many different training images are shown, drawn by the seed; null: all.
    select: whose weights the training leaves: those of the best step by the validation metric, as the last one is a chance
        moment of a game that never comes to rest; or of the last, which is taken where there is no validation metric, too.
    """

    summary: str
    paper: str
    needs: tuple[Literal["labels"], ...] = ()
    image_size: int | None = Field(default=None, ge=8, le=1024)
    channels: Literal[1, 3] | None = None
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    game: dict[str, Any]
    networks: dict[str, dict[str, Any]] = Field(min_length=1)
    optimizers: dict[str, OptimizerSettings] = Field(min_length=1)
    turns: dict[str, int] = Field(default_factory=dict)
    batch_size: int = Field(ge=2)
    parts: int = Field(default=1, ge=1)
    budget_kimg: float = Field(gt=0)
    images: int | None = Field(default=None, ge=2)
    flip: bool = False
    init: InitSettings | None = None
    ema: EmaSettings | None = None
    select: Literal["best", "last"] = "best"
    health: HealthSettings = HealthSettings()

    @model_validator(mode="after")
    def _turns_belong_to_players(self) -> Recipe:
        for player, turns in self.turns.items():
            if player not in self.optimizers:
                raise ValueError(f"turns.{player}: {nearest(player, self.optimizers)}")
            if turns < 1:
                raise ValueError(f"turns.{player}: at least 1")
        if self.batch_size % self.parts:
            raise ValueError(f"batch_size: a multiple of parts ({self.parts})")
        return self

    def digest(self) -> str:
        """sha256 of the recipe's meaning; comments and order of keys do not count."""
        text = json.dumps(self.model_dump(mode="json", exclude={"summary"}), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def load_recipe(path: Path) -> Recipe:
    """Read and check one recipe file; raises SettingsError naming the file, the key and what was expected."""
    return validate(Recipe, read_yaml(path), str(path))


def find_recipe(name: str, folder: Path) -> Path:
    """The file of the recipe `name` in `folder`; raises SettingsError naming the nearest one when there is none."""
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = [file.stem for file in folder.glob("*.yaml")]
        raise SettingsError(f"there is no recipe '{name}' in {folder}", action=nearest(name, known))
    return path
