"""From a recipe to a game: builds the networks and hands them to the game."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.fields.label_map import LabelMapField
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.game import GAMES, Game
from ganops.games.stage import check_stages
from ganops.networks.network import NETWORKS
from ganops.recipe import Recipe
from ganops.settings import nearest


def recipe_spec(recipe: Recipe, data: DataSpec) -> DataSpec:
    """What the recipe's networks are built for: the data, with the recipe's image size, channels and derived columns.

    Raises SettingsError where the recipe sets a size or channels and the data have no images, and for columns that
    cannot be derived.
    """
    changes = {
        key: value for key, value in (("channels", recipe.channels), ("size", recipe.image_size)) if value is not None
    }
    images: dict[str, Field] = {
        name: field.model_copy(update=changes) for name, field in data.fields.items() if isinstance(field, ImageField)
    }
    maps: dict[str, Field] = {
        name: field.model_copy(update={"size": recipe.image_size or field.size})
        for name, field in data.fields.items()
        if isinstance(field, LabelMapField)
    }
    if changes and not images:
        raise SettingsError(
            "the recipe sets the form of images, but the data have no images",
            code="no-images",
            expected="channels: null and image_size: null",
            found=f"channels: {recipe.channels}, image_size: {recipe.image_size}",
        )
    spec = data.with_fields({**images, **maps}).model_copy(update={"derived": recipe.derived})
    spec.schema()  # raises where a column cannot be derived
    return spec


def build_game(recipe: Recipe, spec: DataSpec, where: str = "recipe") -> Game:
    """Build the game of `recipe` for data of `spec`, with initial weights from torch's global generator.

    Raises SettingsError, its message starting with `where`, for an unknown kind or key, and where optimizers and
    players differ.
    """
    networks = {
        name: NETWORKS.build(section, f"{where}: networks.{name}", spec) for name, section in recipe.networks.items()
    }
    game = GAMES.build(recipe.game, f"{where}: game", networks, spec)
    check_stages(game.stages, game.players)
    for player in recipe.optimizers:
        if player not in game.players:
            raise SettingsError(
                f"{where}: optimizers.{player}: unknown player",
                code="unknown-player",
                found=player,
                action=nearest(player, game.players),
            )
    for player in game.players:
        if player not in recipe.optimizers:
            raise SettingsError(
                f"{where}: optimizers.{player} is missing",
                code="missing-optimizer",
                expected=f"an optimizer for each of: {', '.join(game.players)}",
                found=", ".join(recipe.optimizers),
            )
    return game


def outline_game(recipe: Recipe, spec: DataSpec, where: str = "recipe") -> Game:
    """The game without memory for its weights: shows whether it can be built, its tasks and its size, in no time.

    Raises SettingsError as `build_game` does, and for numbers that no network can have.
    """
    try:
        with torch.device("meta"), _NoInitialWeights():
            return build_game(recipe, spec, where)
    except (RuntimeError, ValueError, ArithmeticError, MemoryError) as error:
        found = str(error).partition("\n")[0]
        raise SettingsError(f"{where}: its networks cannot be built", code="impossible-network", found=found) from error


class _NoInitialWeights(TorchFunctionMode):
    """Nothing is drawn, and spectral norms take no power iterations: what is left of a network are its shapes.

    On the meta device such functions are computed in Python and import torch's compiler, which takes seconds.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        name = getattr(func, "__name__", "")
        if getattr(func, "__module__", "") == "torch.nn.init" or name in ("normal_", "uniform_", "normalize"):
            return args[0] if args else (kwargs or {})["tensor"]
        if name in ("mv", "vdot"):
            return args[0][..., 0]
        return func(*args, **(kwargs or {}))
