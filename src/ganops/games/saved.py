"""A game on disk: model.json says what it is, one safetensors file per network holds the weights. No pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ganops.atomic import atomic_path, write_text
from ganops.data.spec import DataSpec
from ganops.errors import ModelError
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.recipe import Recipe
from ganops.settings import Settings

DESCRIPTION = "model.json"


class SavedModel(Settings):
    """What model.json says: enough to build the same networks again."""

    format: int = 1
    name: str
    recipe: Recipe
    spec: DataSpec


def save_game(
    folder: Path, game: Game, description: SavedModel, weights: Mapping[str, Mapping[str, Tensor]] | None = None
) -> None:
    """Write a model folder: every network's weights, for those in `weights` these instead.

    weights: network name to a state dict, such as its moving average. model.json is written last: without it the folder
    is no model.
    """
    for name, network in networks_of(game).items():
        state = (weights or {}).get(name) or network.state_dict()
        tensors = {key: tensor.detach().cpu().contiguous().clone() for key, tensor in state.items()}
        with atomic_path(folder / f"{name}.safetensors") as temporary:
            save_file(tensors, temporary)
    write_text(folder / DESCRIPTION, description.model_dump_json(indent=2) + "\n")


def load_description(folder: Path) -> SavedModel:
    """Read model.json; raises ModelError when it is missing or damaged."""
    path = folder / DESCRIPTION
    try:
        return SavedModel.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{folder} holds no model", expected=str(path), action="train it first, or check the path"
        ) from None
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read", found=str(error)) from error


def load_game(folder: Path, device: str | torch.device = "cpu") -> Game:
    """Build the game of a model folder and fill it with the saved weights, in eval mode on `device`.

    Raises ModelError when a file is missing, torn, or holds weights of other names or shapes.
    """
    description = load_description(folder)
    game = build_game(description.recipe, description.spec, where=str(folder / DESCRIPTION))
    for name, network in networks_of(game).items():
        path = folder / f"{name}.safetensors"
        try:
            network.load_state_dict(load_file(path))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise ModelError(f"{path} does not hold the weights of '{name}'", found=str(error)) from error
    return game.to(device).eval()


def networks_of(game: Game) -> dict[str, nn.Module]:
    """The game's networks by name."""
    return dict(game.named_children())
