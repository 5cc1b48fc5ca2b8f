"""A game on disk: model.json says what it is, one safetensors file per network holds the weights. No pickle."""

from __future__ import annotations

import hashlib
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
        with atomic_path(_weights_path(folder, name)) as temporary:
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
        weights = load_weights(folder, name)
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise _no_weights(folder, name, error) from error
    return game.to(device).eval()


def load_weights(folder: Path, network: str) -> dict[str, Tensor]:
    """The saved weights of one network by name; raises ModelError when their file is missing or torn."""
    try:
        weights: dict[str, Tensor] = load_file(_weights_path(folder, network))
    except (OSError, SafetensorError) as error:
        raise _no_weights(folder, network, error) from error
    return weights


def digest_of(folder: Path) -> str:
    """sha256 of a model folder: its weights and its description."""
    content = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        content.update(file.name.encode())
        content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()


def networks_of(game: Game) -> dict[str, nn.Module]:
    """The game's networks by name."""
    return dict(game.named_children())


def _weights_path(folder: Path, network: str) -> Path:
    return folder / f"{network}.safetensors"


def _no_weights(folder: Path, network: str, error: Exception) -> ModelError:
    path = _weights_path(folder, network)
    return ModelError(f"{path} does not hold the weights of '{network}'", found=str(error))
