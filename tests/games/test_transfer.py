"""Weights of a trained model become another game's first weights, and what does not fit is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from playing import recipe, spec_of

from ganops.data.spec import DataSpec
from ganops.errors import ModelError, SettingsError
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.sampling import sample_outputs
from ganops.games.saved import SavedModel, load_game, networks_of, save_game
from ganops.games.transfer import transfer

SPEC = spec_of(1, 8, ("a", "b"))
INIT = {"model": "models:/ganops@champion"}
DCGAN = {"generator": {"kind": "dcgan-generator", "width": 4}, "discriminator": {"kind": "dcgan-discriminator"}}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model folder of the small pair."""
    torch.manual_seed(1)
    save_game(tmp_path / "model", build_game(recipe(), SPEC), SavedModel(name="old", recipe=recipe(), spec=SPEC))
    return tmp_path / "model"


def started(model: Path, spec: DataSpec = SPEC, **changes: Any) -> Game:
    """A game of the small pair's recipe with changes, started from the model."""
    torch.manual_seed(2)
    asked = recipe(**({"init": INIT} | changes))
    game = build_game(asked, spec)
    transfer(game, asked, model, "new.yaml")
    return game


def test_the_first_images_are_the_models(model: Path) -> None:
    game, old = started(model), load_game(model)
    images, expected = (sample_outputs(each, 5, seed=0)["image"] for each in (game, old))
    assert torch.equal(images, expected)
    for name, network in networks_of(old).items():
        weights = game.get_submodule(name).state_dict()
        assert all(torch.equal(weights[key], tensor) for key, tensor in network.state_dict().items())


def test_a_fresh_part_keeps_its_own_weights_and_need_not_fit(model: Path) -> None:
    """A conditional discriminator has one vector more per class than the model's."""
    changes: dict[str, Any] = {
        "game__kind": "conditional",
        "networks__generator__labels": "embedding",
        "networks__discriminator__labels": "projection",
        "init": INIT | {"fresh": ["generator", "discriminator.head"]},
    }
    game, old = started(model, **changes).state_dict(), load_game(model).state_dict()
    taken = [key for key, tensor in old.items() if key in game and torch.equal(game[key], tensor)]
    assert taken == [key for key in old if key.startswith("discriminator.layers.")]
    assert "discriminator.head.embedding.weight" in game


@pytest.mark.parametrize(
    ("changes", "code", "expected", "found"),
    [
        ({"networks__generator__latent_dim": 9}, "other-shape", "4 x 9", "4 x 7"),
        ({"networks__generator__widths": [4, 4]}, "other-shape", "4 x 4", "64 x 4"),
        ({"networks": DCGAN}, "other-kind", "dcgan-generator", "mlp-generator"),
        ({"init": INIT | {"fresh": ["head"]}}, "unknown-part", "", "head"),
        ({"init": INIT | {"freeze": ["discriminator.layer.0"]}}, "unknown-part", "", "discriminator.layer.0"),
    ],
)
def test_what_does_not_fit_is_named(model: Path, changes: dict[str, Any], code: str, expected: str, found: str) -> None:
    with pytest.raises(SettingsError) as caught:
        started(model, **changes)
    assert caught.value.message.startswith("new.yaml: init.")
    assert (caught.value.code, caught.value.expected, caught.value.found) == (code, expected, found)
    assert caught.value.action


def test_images_of_another_size_are_refused(model: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        started(model, spec=spec_of(1, 16))
    assert caught.value.code == "other-shape"


def test_a_network_the_model_lacks_has_to_be_fresh(model: Path) -> None:
    """InfoGAN's head is the game's own: the model of a plain pair has no such file."""
    game = {"kind": "infogan", "loss": "hinge", "categorical": [2], "continuous": 1}
    with pytest.raises(ModelError) as caught:
        started(model, game=game)
    assert caught.value.code == "bad-weights"
    assert "head" in caught.value.expected
    assert started(model, game=game, init=INIT | {"fresh": ["head"]}).get_submodule("head")


def test_a_damaged_model_is_an_error(model: Path) -> None:
    (model / "discriminator.safetensors").unlink()
    with pytest.raises(ModelError) as caught:
        started(model)
    assert caught.value.code == "bad-weights"
