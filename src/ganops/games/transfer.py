"""A trained model's weights as the initial weights of another game (Wang et al. 2018, arXiv:1805.01677)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from ganops.errors import SettingsError
from ganops.games.game import Game
from ganops.games.saved import SavedModel, load_description, load_weights, networks_of
from ganops.recipe import Recipe
from ganops.settings import nearest


def transfer(game: Game, recipe: Recipe, folder: Path, where: str) -> None:
    """Load the weights of the model in `folder` into `game`, except for the parts in the recipe's `init.fresh`.

    Raises SettingsError, its message starting with `where`, naming the network and the weight that does not fit;
    ModelError when the model is damaged.
    """
    fresh, freeze = (recipe.init.fresh, recipe.init.freeze) if recipe.init else ((), ())
    for key, paths in (("fresh", fresh), ("freeze", freeze)):
        find_parts(game, paths, f"{where}: init.{key}")
    model = load_description(folder)
    for name, network in networks_of(game).items():
        wanted = {key: tensor for key, tensor in network.state_dict().items() if not _inside(f"{name}.{key}", fresh)}
        if wanted:
            _check_kind(name, recipe, model, where)
            saved = load_weights(folder, name)
            saved = {key: tensor for key, tensor in saved.items() if not _inside(f"{name}.{key}", fresh)}
            _check_fit(name, wanted, saved, f"{where}: init.model: {name}", model.name)
            network.load_state_dict(network.state_dict() | saved)


def find_parts(game: Game, paths: Sequence[str], where: str) -> list[nn.Module]:
    """The networks and layers with the dotted `paths`; raises SettingsError naming the nearest to an unknown one."""
    parts = {path: part for path, part in game.named_modules() if path and "parametrizations" not in path.split(".")}
    for path in paths:
        if path not in parts:
            raise SettingsError(
                f"{where}: unknown part '{path}'", code="unknown-part", found=path, action=nearest(path, parts)
            )
    return [parts[path] for path in paths]


def _inside(key: str, paths: Sequence[str]) -> bool:
    return any(key.startswith(f"{path}.") for path in paths)


def _check_kind(network: str, recipe: Recipe, model: SavedModel, where: str) -> None:
    wanted, found = (each.networks.get(network, {}).get("kind") for each in (recipe, model.recipe))
    if wanted != found:
        raise SettingsError(
            f"{where}: init.model: '{network}' is of another kind in the model, trained with the recipe '{model.name}'",
            code="other-kind",
            expected=str(wanted),
            found=str(found),
            action=f"copy that recipe's networks.{network}, or add {network} to init.fresh",
        )


def _check_fit(network: str, wanted: dict[str, Tensor], saved: dict[str, Tensor], where: str, recipe: str) -> None:
    for key in [*wanted, *saved]:
        expected, found = (_shape(weights.get(key)) for weights in (wanted, saved))
        if expected != found:
            raise SettingsError(
                f"{where}: '{key}' does not fit the model, trained with the recipe '{recipe}'",
                code="other-shape",
                expected=expected,
                found=found,
                action=f"copy that recipe's networks.{network}, or name the part in init.fresh",
            )


def _shape(weight: Tensor | None) -> str:
    return "no such weight" if weight is None else " x ".join(map(str, weight.shape)) or "a number"
