"""A model folder gives back the same images, and says what is wrong with a damaged one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from playing import recipe, spec_of

from ganops.errors import ModelError
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.sampling import sample_images
from ganops.games.saved import SavedModel, load_game, networks_of, save_game

SPEC = spec_of(1, 28)


@pytest.fixture
def game() -> Game:
    return build_game(recipe(), SPEC)


@pytest.fixture
def model(tmp_path: Path, game: Game) -> Path:
    save_game(tmp_path / "model", game, SavedModel(name="small", recipe=recipe(), spec=SPEC))
    return tmp_path / "model"


def samples(game: Game) -> torch.Tensor:
    return torch.cat(list(sample_images(game, 5, seed=0)))


def test_loaded_game_makes_the_same_images(game: Game, model: Path) -> None:
    loaded = load_game(model)
    assert torch.equal(samples(loaded), samples(game))
    assert not loaded.training


def test_folder_holds_one_file_per_network_and_a_description(game: Game, model: Path) -> None:
    names = {path.name for path in model.iterdir()}
    assert names == {"model.json", *(f"{name}.safetensors" for name in networks_of(game))}


def test_averages_take_the_place_of_weights(tmp_path: Path, game: Game) -> None:
    average = {key: tensor + 1 for key, tensor in game.get_submodule("generator").state_dict().items()}
    description = SavedModel(name="small", recipe=recipe(), spec=SPEC)
    save_game(tmp_path, game, description, weights={"generator": average})
    loaded = load_game(tmp_path).get_submodule("generator").state_dict()
    assert all(torch.equal(loaded[key], average[key]) for key in average)


def test_no_description_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no model"):
        load_game(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}', "\xff"])
def test_damaged_description_is_named(model: Path, text: str) -> None:
    (model / "model.json").write_text(text, encoding="latin-1")
    with pytest.raises(ModelError, match=r"model\.json cannot be read"):
        load_game(model)


def test_missing_weights_are_named(model: Path) -> None:
    (model / "generator.safetensors").unlink()
    with pytest.raises(ModelError, match=r"generator\.safetensors does not hold the weights of 'generator'"):
        load_game(model)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_torn_weights_are_named(model: Path, keep: int) -> None:
    path = model / "generator.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"generator\.safetensors does not hold"):
        load_game(model)


def test_weights_of_another_network_are_refused(model: Path) -> None:
    (model / "generator.safetensors").write_bytes((model / "discriminator.safetensors").read_bytes())
    with pytest.raises(ModelError, match="does not hold the weights of 'generator'"):
        load_game(model)


def test_weights_of_another_width_are_refused(model: Path) -> None:
    path = model / "model.json"
    description = json.loads(path.read_text())
    description["recipe"]["networks"]["generator"]["widths"] = [5]
    path.write_text(json.dumps(description))
    with pytest.raises(ModelError, match="size mismatch"):
        load_game(model)
