"""From a recipe to a game; and what a recipe with a mistake is told."""

from __future__ import annotations

from typing import Any

import pytest
from playing import recipe, spec_of

from ganops.errors import SettingsError
from ganops.games.build import build_game, recipe_spec


def test_game_has_the_networks_players_and_latents_of_its_recipe() -> None:
    game = build_game(recipe(), spec_of(1, 28))
    assert set(game.players) == {"discriminator", "generator"}
    assert game.latent_dim == 7
    assert game.ema_networks == ("generator",)


def test_networks_are_built_for_the_data_unless_the_recipe_says_otherwise() -> None:
    assert recipe_spec(recipe(), spec_of(1, 28, ("a", "b"))) == spec_of(1, 28, ("a", "b"))
    assert recipe_spec(recipe(image_size=64, channels=3), spec_of(1, 28)).shape == (3, 64, 64)


@pytest.mark.parametrize(
    ("changes", "message", "action"),
    [
        (
            {"game__kind": "unconditionl"},
            "game: there is no game 'unconditionl'",
            "did you mean 'unconditional'",
        ),
        ({"game__loss": "hinged"}, "game: key 'loss' is wrong", ""),
        ({"game__los": "hinge"}, "game: unknown key 'los'", "did you mean 'loss'"),
        ({"game__penalty": {"kind": "r1"}}, "game: key 'penalty.weight' is missing", "add it"),
        (
            {"networks__generator__kind": "mlp"},
            "networks.generator: there is no network 'mlp'",
            "mlp-generator",
        ),
        ({"networks__generator__width": 3}, "networks.generator: unknown key 'width'", "did you mean 'widths'"),
        ({"networks": {"generator": {"kind": "mlp-generator"}}}, "networks.discriminator is missing", "discriminator"),
        ({"optimizers": {"generator": {"lr": 1.0}}}, "optimizers.discriminator is missing", "how this player"),
        ({"optimizers__generater": {"lr": 1.0}}, "optimizers.generater: no such player", "mean 'generator'"),
    ],
)
def test_mistakes_are_named_with_what_to_do(changes: dict[str, Any], message: str, action: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build_game(recipe(**changes), spec_of(1, 28), where="a.yaml")
    assert caught.value.message.startswith(("a.yaml: ", "networks."))
    assert message in caught.value.message
    assert action in caught.value.action
