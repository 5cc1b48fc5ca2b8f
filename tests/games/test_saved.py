"""A model folder gives back the same images; damaged ones are refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from playing import recipe, spec_of

from ganops.errors import ModelError
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.sampling import sample_outputs
from ganops.games.saved import SavedModel, digest_of, load_description, load_game, networks_of, save_game

SPEC = spec_of(1, 28)


@pytest.fixture
def game() -> Game:
    return build_game(recipe(), SPEC)


@pytest.fixture
def model(tmp_path: Path, game: Game) -> Path:
    save_game(tmp_path / "model", game, SavedModel(name="small", recipe=recipe(), spec=SPEC))
    return tmp_path / "model"


def samples(game: Game) -> torch.Tensor:
    return sample_outputs(game, 5, seed=0)["image"]


def code_of_loading(model: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_game(model)
    return caught.value.code


def test_loaded_game_makes_the_same_images(game: Game, model: Path) -> None:
    loaded = load_game(model)
    assert torch.equal(samples(loaded), samples(game))
    assert not loaded.training


def test_folder_holds_one_file_per_network_and_a_description(game: Game, model: Path) -> None:
    names = {path.name for path in model.iterdir()}
    assert names == {"model.json", *(f"{name}.safetensors" for name in networks_of(game))}
    assert set(load_description(model).weights) == set(networks_of(game))


def test_averages_take_the_place_of_weights(tmp_path: Path, game: Game) -> None:
    average = {key: tensor + 1 for key, tensor in game.get_submodule("generator").state_dict().items()}
    description = SavedModel(name="small", recipe=recipe(), spec=SPEC)
    save_game(tmp_path, game, description, weights={"generator": average})
    loaded = load_game(tmp_path).get_submodule("generator").state_dict()
    assert all(torch.equal(loaded[key], average[key]) for key in average)


def test_the_digest_changes_with_any_file(model: Path) -> None:
    before = digest_of(model)
    path = model / "model.json"
    path.write_text(path.read_text().replace("small", "large"))
    assert digest_of(model) != before


def test_a_folder_without_description_is_refused(tmp_path: Path) -> None:
    assert code_of_loading(tmp_path) == "no-model"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}', "\xff"])
def test_a_damaged_description_is_refused(model: Path, text: str) -> None:
    (model / "model.json").write_text(text, encoding="latin-1")
    with pytest.raises(ModelError) as error:
        load_description(model)
    assert error.value.code == "model-unreadable"
    assert "\n" not in error.value.found
    assert "dvc" in error.value.action


def test_missing_weights_are_refused(model: Path) -> None:
    (model / "generator.safetensors").unlink()
    assert code_of_loading(model) == "bad-weights"


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_torn_weights_are_refused(model: Path, keep: int) -> None:
    path = model / "generator.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    assert code_of_loading(model) == "bad-weights"


def test_weights_that_were_not_saved_with_the_model_are_refused(model: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    save_game(tmp_path / "other", build_game(recipe(), SPEC), SavedModel(name="other", recipe=recipe(), spec=SPEC))
    (model / "generator.safetensors").write_bytes((tmp_path / "other" / "generator.safetensors").read_bytes())
    assert code_of_loading(model) == "weights-altered"


def test_weights_of_another_width_are_refused(model: Path) -> None:
    path = model / "model.json"
    description = json.loads(path.read_text())
    description["recipe"]["networks"]["generator"]["widths"] = [5]
    path.write_text(json.dumps(description))
    assert code_of_loading(model) == "bad-weights"
