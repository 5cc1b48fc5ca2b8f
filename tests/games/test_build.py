"""From a recipe to a game; errors for recipes with mistakes."""

from __future__ import annotations

from typing import Any

import pytest
from playing import points_spec, recipe, spec_of

from ganops.data.fields.image import ImageField
from ganops.errors import SettingsError
from ganops.games.build import build_game, recipe_spec

NOISE = {"source": {"kind": "noise", "of": "image", "sigma": 0.5}}


def test_game_has_the_networks_players_and_task_of_its_recipe() -> None:
    game = build_game(recipe(), spec_of(1, 28))
    assert dict(game.players) == {"discriminator": ("discriminator",), "generator": ("generator",)}
    assert game.ema_networks == ("generator",)
    assert (list(game.task.inputs), list(game.task.outputs)) == ([], ["image"])
    assert game.task.latents["z"].shape == (7,)


def test_networks_are_built_for_the_data_unless_the_recipe_sets_another_form() -> None:
    assert recipe_spec(recipe(), spec_of(1, 28, ("a", "b"))) == spec_of(1, 28, ("a", "b"))
    assert recipe_spec(recipe(image_size=64), spec_of(1, 28)) == spec_of(1, 64)
    assert recipe_spec(recipe(image_size=64, channels=3), spec_of(1, 28)) == spec_of(3, 64)


def test_derived_columns_are_part_of_the_schema_in_the_recipes_size() -> None:
    spec = recipe_spec(recipe(derived=NOISE, image_size=16), spec_of(1, 28))
    assert spec.field("source", ImageField) == ImageField(channels=1, size=16)
    assert list(spec.fields) == ["image"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"derived": {"image": NOISE["source"]}}, "bad-derivation"),
        ({"derived": {"source": NOISE["source"] | {"of": "picture"}}}, "bad-derivation"),
        ({"derived": {"source": {"kind": "noize"}}}, "unknown-kind"),
    ],
)
def test_columns_that_cannot_be_derived_are_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        recipe_spec(recipe(**changes), spec_of(1, 28))
    assert caught.value.code == code


def test_a_form_of_images_is_refused_where_the_data_have_none() -> None:
    with pytest.raises(SettingsError) as caught:
        recipe_spec(recipe(image_size=32), points_spec())
    assert caught.value.code == "no-images"


@pytest.mark.parametrize(
    ("changes", "code", "names"),
    [
        ({"game__kind": "unconditionl"}, "unknown-kind", ("a.yaml: game", "'unconditional'")),
        ({"game__loss": "hinged"}, "", ("a.yaml: game", "loss")),
        ({"game__los": "hinge"}, "", ("a.yaml: game", "'loss'")),
        ({"game__penalty": {"kind": "r1"}}, "", ("a.yaml: game", "penalty.weight")),
        ({"networks__generator__kind": "mlp"}, "unknown-kind", ("a.yaml: networks.generator", "mlp-generator")),
        ({"networks__generator__width": 3}, "", ("a.yaml: networks.generator", "'widths'")),
        ({"networks": {"generator": {"kind": "mlp-generator"}}}, "missing-network", ("networks.discriminator",)),
        ({"optimizers": {"generator": {"lr": 1.0}}}, "missing-optimizer", ("a.yaml: optimizers.discriminator",)),
        ({"optimizers__generater": {"lr": 1.0}}, "unknown-player", ("a.yaml: optimizers.generater", "'generator'")),
    ],
)
def test_mistakes_are_named_with_place_and_nearest_name(
    changes: dict[str, Any], code: str, names: tuple[str, ...]
) -> None:
    with pytest.raises(SettingsError) as caught:
        build_game(recipe(**changes), spec_of(1, 28), where="a.yaml")
    assert not code or caught.value.code == code
    assert all(name in str(caught.value) for name in names)
