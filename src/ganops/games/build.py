"""From a recipe to a game: networks made, handed to the game they play."""

from __future__ import annotations

from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.game import GAMES, Game
from ganops.networks.network import NETWORKS
from ganops.recipe import Recipe
from ganops.settings import nearest


def recipe_spec(recipe: Recipe, data: DataSpec) -> DataSpec:
    """The shape the recipe's networks are built for: the data's, unless the recipe sets a size or channels itself.

    Raises SettingsError where it does so and the data are vectors, which are never converted.
    """
    if data.of_vectors and (recipe.channels or recipe.image_size):
        raise SettingsError(
            "the recipe is about images of a certain form, but the data are vectors",
            expected="channels: null and image_size: null",
            found=f"channels: {recipe.channels}, image_size: {recipe.image_size}",
        )
    channels, size = recipe.channels or data.channels, recipe.image_size or data.image_size
    return data.model_copy(update={"shape": (channels, size, size)})


def build_game(recipe: Recipe, spec: DataSpec, where: str = "recipe") -> Game:
    """Make the game of `recipe` for data of `spec`, with fresh weights from torch's global generator.

    Raises SettingsError, opened by `where`, for an unknown kind or key, and where optimizers and players differ.
    """
    networks = {
        name: NETWORKS.build(section, f"{where}: networks.{name}", spec) for name, section in recipe.networks.items()
    }
    game = GAMES.build(recipe.game, f"{where}: game", networks, spec)
    for player in recipe.optimizers:
        if player not in game.players:
            raise SettingsError(f"{where}: optimizers.{player}: no such player", action=nearest(player, game.players))
    for player in game.players:
        if player not in recipe.optimizers:
            raise SettingsError(f"{where}: optimizers.{player} is missing", action="say how this player learns")
    return game
