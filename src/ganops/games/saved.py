"""A game on disk: model.json describes it, one safetensors file per network holds the weights. No pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.data.tensor_file import save_tensors
from ganops.errors import ModelError
from ganops.file_digest import file_sha256
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.recipe import Recipe
from ganops.settings import Settings

DESCRIPTION = "model.json"


class SavedModel(Settings):
    """The content of model.json: enough to build the same networks again.

    weights: network name to the sha256 of its file; `save_game` fills it in.
    """

    format: int = 1
    name: str
    recipe: Recipe
    spec: DataSpec
    weights: dict[str, str] = Field(default_factory=dict)


def save_game(
    folder: Path, game: Game, description: SavedModel, weights: Mapping[str, Mapping[str, Tensor]] | None = None
) -> None:
    """Write a model folder with the weights of every network; those in `weights` take the place of the game's own.

    weights: network name to a state dict, such as its moving average. model.json is written last: a folder without it
    is not a model.
    """
    digests = {}
    for name, network in networks_of(game).items():
        state = (weights or {}).get(name) or network.state_dict()
        path = _weights_path(folder, name)
        save_tensors(path, {key: tensor.clone() for key, tensor in state.items()})
        digests[name] = file_sha256(path)
    description.model_copy(update={"weights": digests}).write(folder / DESCRIPTION)


def load_description(folder: Path) -> SavedModel:
    """Read model.json; raises ModelError when it is missing or damaged."""
    path = folder / DESCRIPTION
    try:
        return SavedModel.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{folder} is not a model folder",
            code="no-model",
            expected=str(path),
            action="train it first, or check the path",
        ) from None
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        wrong = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise ModelError(
            f"{path} cannot be read",
            code="model-unreadable",
            found=wrong,
            action="bring the file back (dvc checkout), train the recipe again (dvc repro --force --single-item "
            "train@NAME), or take the version of ganops that wrote it",
        ) from error


def load_game(folder: Path, device: str | torch.device = "cpu") -> Game:
    """Build the game of a model folder with the saved weights, in eval mode on `device`.

    Raises ModelError when a file is missing, torn, altered, or holds weights of other names or shapes.
    """
    description = load_description(folder)
    game = build_game(description.recipe, description.spec, where=str(folder / DESCRIPTION))
    for name, network in networks_of(game).items():
        weights = load_weights(folder, name)
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise _bad_weights(folder, name, error) from error
    return game.to(device).eval()


def load_weights(folder: Path, network: str) -> dict[str, Tensor]:
    """The saved weights of one network; raises ModelError when their file is missing, torn or altered."""
    path = _weights_path(folder, network)
    try:
        weights: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise _bad_weights(folder, network, error) from error
    expected, found = load_description(folder).weights.get(network), file_sha256(path)
    if found != expected:
        raise ModelError(
            f"{path} is not the file that was saved with this model",
            code="weights-altered",
            expected=f"sha256 {expected}",
            found=f"sha256 {found}",
            action="copy the whole model folder again",
        )
    return weights


def digest_of(folder: Path) -> str:
    """sha256 of a model folder: its weights and its description."""
    content = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        content.update(file.name.encode())
        content.update(bytes.fromhex(file_sha256(file)))
    return content.hexdigest()


def networks_of(game: Game) -> dict[str, nn.Module]:
    """The game's networks by name, and other modules whose state belongs to the model."""
    return dict(game.named_children())


def _weights_path(folder: Path, network: str) -> Path:
    return folder / f"{network}.safetensors"


def _bad_weights(folder: Path, network: str, error: Exception) -> ModelError:
    path = _weights_path(folder, network)
    return ModelError(
        f"{path} does not hold the weights of '{network}'", code="bad-weights", expected=str(path), found=str(error)
    )
