"""A recipe: one model as a YAML file: networks, game, optimisers and budget."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, model_validator

from ganops.errors import SettingsError
from ganops.settings import Settings, nearest, read_yaml, validate
from ganops.workspace import how_to_enter

MOST_TURNS = 1000  # of one player in one step
PRESETS = "paper"  # folder of the presets, among the recipes

Beta = Annotated[float, Field(ge=0, lt=1)]


class OptimizerSettings(Settings):
    """One player's optimiser, and how its learning rate and betas move while it trains.

    lr: learning rate of each step. betas: of Adam's two averages; the first is the momentum of sgd, the second the
        average of rmsprop. eps: added to the denominator of Adam and of rmsprop.
    weight_decay: of all weights; decoupled from the gradient for adamw.
    schedule: of the learning rate: "constant"; "linear" or "cosine" to `last_lr`; "steps": times `drop` at each number
        of kimg in `drops`. `last_betas` follow a linear or cosine schedule too.
    last_lr: learning rate at the end of the schedule. drops: thousands of images; drop: factor at each of them.
    hold_kimg: thousands of images before the schedule starts. schedule_kimg: where it ends; null: with the budget.
    warmup_kimg: over which the learning rate rises from zero.
    """

    kind: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    lr: float = Field(gt=0)
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: Literal["constant", "linear", "cosine", "steps"] = "constant"
    last_lr: float = Field(default=0.0, ge=0)
    last_betas: tuple[Beta, Beta] | None = None
    hold_kimg: float = Field(default=0.0, ge=0)
    schedule_kimg: float | None = Field(default=None, gt=0)
    drops: tuple[PositiveFloat, ...] = ()
    drop: float = Field(default=0.1, gt=0, lt=1)
    warmup_kimg: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _schedule_takes_its_own_keys(self) -> OptimizerSettings:
        smooth, stepped = {"last_lr", "last_betas", "hold_kimg", "schedule_kimg"}, {"drops", "drop"}
        own = {"linear": smooth, "cosine": smooth, "steps": stepped}.get(self.schedule, set())
        changed = {key for key, value in self if value != type(self).model_fields[key].default}
        if foreign := changed & (smooth | stepped) - own:
            raise ValueError(f"{', '.join(sorted(foreign))}: no part of the schedule '{self.schedule}'")
        if self.schedule == "steps" and not self.drops:
            raise ValueError("drops: the schedule 'steps' takes the numbers of kimg at which the learning rate drops")
        if self.schedule_kimg is not None and self.schedule_kimg <= self.hold_kimg:
            raise ValueError(f"schedule_kimg: must be above hold_kimg ({self.hold_kimg:g})")
        return self


class EmaSettings(Settings):
    """Exponential moving average of the networks that generate samples (Karras et al. 2018, arXiv:1710.10196).

    half_life_kimg: thousands of images after which a weight's share has fallen to one half.
    rampup: the half life never exceeds this share of the images shown so far, so that early samples are not stale;
        null: no such bound.
    first_half_life_kimg: what the half life moves from until schedule_kimg; null: it is constant.
    schedule: how it moves. schedule_kimg: thousands of images until it has its last value.
    start_kimg: before so many images the average is the trained network itself.
    """

    half_life_kimg: float = Field(gt=0)
    rampup: float | None = Field(default=0.05, gt=0)
    first_half_life_kimg: float | None = Field(default=None, ge=0)
    schedule: Literal["linear", "cosine"] = "linear"
    schedule_kimg: float | None = Field(default=None, gt=0)
    start_kimg: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _moves_over_a_time(self) -> EmaSettings:
        if (self.first_half_life_kimg is None) != (self.schedule_kimg is None):
            raise ValueError("first_half_life_kimg: takes schedule_kimg, the time until half_life_kimg is reached")
        return self


class HealthSettings(Settings):
    """What happens when training becomes unhealthy.

    on_unhealthy: warn, stop, or recover from the last healthy checkpoint.
    max_recoveries: how often before the training is given up.
    Losses or weights that are not finite end a training under "warn" too, since it cannot recover by itself.
    """

    on_unhealthy: Literal["warn", "stop", "recover"] = "warn"
    max_recoveries: int = Field(default=2, ge=0)


class InitSettings(Settings):
    """Start from a trained model instead of from fresh weights (Wang et al. 2018, arXiv:1805.01677).

    model: models:/NAME@ALIAS, models:/NAME/VERSION, or a model folder.
    fresh: parts that keep their initial weights, for example because the model's do not fit.
    freeze: parts that are never trained, such as the discriminator's lower layers (Mo et al. 2020, arXiv:2002.10964).
    A part is a network or a module inside it, such as `discriminator.layers.0`; `ganops recipes show` lists them.
    """

    model: str = Field(min_length=1)
    fresh: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()


class Recipe(Settings):
    """The content of a recipe file.

    The sections under `networks`, `game` and `derived` have a `kind`; the file that defines the kind checks the rest.
    summary: what it is, in one line for lists. paper: authors, year and arXiv number.
    needs: what the data must have besides images.
    game: who plays, and what each minimises. networks: by the names that the game gives them.
    optimizers: one for each player. turns: of each player in one step; 1 where nothing is said.
    flip: mirror training images left to right at random.
    init: start from a trained model. ema: average the generator's weights over time; null: no average.
    health: what happens when training becomes unhealthy.
    image_size, channels: what the networks are built for; null: as the prepared data are.
    derived: columns computed from others while training runs (noise, edges ...), by name.
    batch_size: rows per turn; micro_batches: number of equal parts in which they are computed, one after the other or
        one per process, gradients averaged.
    batch_norm: what a batch norm's statistics in training are of: one part ("micro-batch"), or the parts that all
        processes compute at the same time ("processes").
    seed: of weights, noise and data order; null: that of params.yaml. Recipes that differ in their seed only are one
        candidate on the leaderboard, with a spread.
    budget_kimg: thousands of real rows shown to the first player.
    validate_kimg: thousands of real rows between two validations; null: that of params.yaml.
    images: number of different training rows that are used, drawn by the seed; null: all.
    select: which weights the training leaves: "best" by the validation metric (a GAN oscillates, so the last step is
        arbitrary), or "last", which also applies where there is no validation metric.
    """

    summary: str
    paper: str
    needs: tuple[Literal["labels", "pairs", "label-maps", "domains"], ...] = ()
    image_size: int | None = Field(default=None, ge=8, le=1024)
    channels: Literal[1, 3] | None = None
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    game: dict[str, Any]
    networks: dict[str, dict[str, Any]] = Field(min_length=1)
    derived: dict[str, dict[str, Any]] = Field(default_factory=dict)
    optimizers: dict[str, OptimizerSettings] = Field(min_length=1)
    turns: dict[str, int] = Field(default_factory=dict)
    batch_size: int = Field(ge=2, le=1_000_000)
    micro_batches: int = Field(default=1, ge=1)
    batch_norm: Literal["micro-batch", "processes"] = "micro-batch"
    budget_kimg: float = Field(gt=0)
    validate_kimg: float | None = Field(default=None, gt=0)
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
            if not 1 <= turns <= MOST_TURNS:
                raise ValueError(f"turns.{player}: must be 1 to {MOST_TURNS:,}")
        if self.batch_size % self.micro_batches:
            raise ValueError(f"batch_size: must be a multiple of micro_batches ({self.micro_batches})")
        return self

    def digest(self) -> str:
        """sha256 of the recipe's meaning; comments and order of keys do not count."""
        text = json.dumps(self.model_dump(mode="json", exclude={"summary"}), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def load_recipe(path: Path) -> Recipe:
    """Read and check one recipe file; raises SettingsError naming the file, the key and what was expected."""
    return validate(Recipe, read_yaml(path), str(path))


def load_recipes(folder: Path) -> dict[str, Recipe]:
    """The recipes in `folder` by name, without presets; raises SettingsError where there are none."""
    found = {file.stem: load_recipe(file) for file in sorted(folder.glob("*.yaml"), key=lambda file: file.stem)}
    if not found:
        raise SettingsError(
            f"{folder} has no recipes",
            code="no-recipes",
            found=str(Path.cwd()),
            action=how_to_enter(Path.cwd()),
        )
    return found


def preset_files(folder: Path) -> dict[str, Path]:
    """The presets of papers below the folder of recipes, by name."""
    return {file.stem: file for file in sorted((folder / PRESETS).glob("*.yaml"))}


def find_recipe(name: str, folder: Path) -> Path:
    """The file of a recipe in `folder`, or of a preset below it: `dcgan-64` or `paper/dcgan-64`.

    Raises SettingsError for an unknown name, naming the nearest one, and for one that both have.
    """
    presets, recipes = preset_files(folder), {file.stem: file for file in sorted(folder.glob("*.yaml"))}
    bare = bare_name(name)
    if bare in presets and bare in recipes:
        raise SettingsError(
            f"two recipes are called '{bare}'",
            code="ambiguous-recipe",
            found=f"{recipes[bare]} and {presets[bare]}",
            action=f"rename {recipes[bare]}",
        )
    files = presets if bare != name else presets | recipes
    if bare not in files:
        raise SettingsError(
            f"{folder} has no recipe '{name}'",
            code="unknown-recipe",
            found=name,
            action=nearest(bare, list(files)) if files else how_to_enter(Path.cwd()),
        )
    return files[bare]


def bare_name(name: str) -> str:
    """The name of a preset without its folder."""
    return name.removeprefix(f"{PRESETS}/")
