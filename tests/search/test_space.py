"""Search spaces: what they may say, and that they are held against the recipe before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_training import SPEC, shrunk

from ganops.data.fields.image import ImageField
from ganops.data.spec import DataSpec
from ganops.errors import SearchError, SettingsError
from ganops.params import TrainParams
from ganops.recipe import load_recipe
from ganops.search.space import Parameter, SearchSpace, load_space
from ganops.settings import validate
from ganops.training.job import TrainingJob

ROOT = Path(__file__).resolve().parents[2]
RECIPE = shrunk("dcgan")
LR = "optimizers.generator.lr"
RANGE = {"low": 1e-4, "high": 1e-2, "log": True}
BETAS = {
    "choices": [[0.5, 0.999], [0.0, 0.99]],
    "also": ["optimizers.discriminator.betas"],
}


def space(**parameters: dict[str, Any]) -> SearchSpace:
    return validate(SearchSpace, {"space": {key.replace("__", "."): value for key, value in parameters.items()}}, "s")


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ({}, "either choices, or both low and high"),
        ({"low": 1}, "either choices, or both low and high"),
        ({"choices": [1, 2], "low": 1, "high": 2}, "either choices, or both low and high"),
        ({"choices": [1, 2], "log": True}, "belong to a range"),
        ({"choices": [1, 1]}, "each value once"),
        ({"choices": [1]}, "at least 2 items"),
        ({"low": 2, "high": 1}, "below high"),
        ({"low": 0, "high": 1, "log": True}, "above 0"),
        ({"low": 0.5, "high": 2, "whole": True}, "whole numbers"),
        ({"low": 1, "hi": 2}, ""),
    ],
)
def test_a_parameter_without_meaning_is_refused(parameter: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        space(batch_size=parameter)
    assert caught.value.code == ("bad-value" if said else "unknown-key")
    assert said in caught.value.expected


@pytest.mark.parametrize(
    ("parameters", "code", "said"),
    [
        ({"optimizers.generator.lrate": RANGE}, "unknown-key", "optimizers.generator.lr"),
        ({LR: {"low": 1e-5, "high": 1e-4}}, "outside-space", LR),
        ({"batch_size": {"choices": [32, 64]}}, "outside-space", "batch_size"),
        ({"game.loss": {"low": 0, "high": 1}}, "outside-space", "game.loss"),
        ({LR: RANGE | {"also": ["ema.half_life_kimg"]}}, "unequal-keys", "ema.half_life_kimg"),
        ({LR: RANGE | {"also": [LR]}}, "key-twice", LR),
    ],
)
def test_a_space_that_does_not_hold_the_recipe_is_refused(parameters: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(SearchError) as caught:
        space(**parameters).own_values(RECIPE, "s")
    assert caught.value.code == code
    assert said in str(caught.value)


def test_a_recipe_without_a_space_says_which_there_are() -> None:
    with pytest.raises(SearchError) as caught:
        load_space(ROOT / "pipeline" / "searches" / "wgan.yaml", "wgan")
    assert caught.value.code == "no-space"
    assert "dcgan, fastgan, mlp, stylegan2-ada" in caught.value.found


def test_a_variant_has_the_values_and_nothing_else_of_its_own() -> None:
    found = space(**{LR: RANGE, "optimizers.generator.betas": BETAS, "batch_size": {"choices": [16, 32]}})
    own = found.own_values(RECIPE, "s")
    assert own == {LR: 1e-3, "optimizers.generator.betas": [0.5, 0.999], "batch_size": 16}
    assert found.variant(RECIPE, own, "s") == RECIPE
    variant = found.variant(RECIPE, {LR: 2e-3, "optimizers.generator.betas": [0.0, 0.99], "batch_size": 32}, "s")
    generator, discriminator = (variant.optimizers[player] for player in ("generator", "discriminator"))
    assert (generator.lr, discriminator.lr, variant.batch_size) == (2e-3, 1e-3, 32)
    assert generator.betas == discriminator.betas == (0.0, 0.99)
    with pytest.raises(SettingsError) as caught:
        space(batch_size={"low": 0, "high": 64, "whole": True}).variant(RECIPE, {"batch_size": 0}, "s")
    assert caught.value.code == "bad-value"


def test_numbers_are_kept_as_people_write_them() -> None:
    number = Parameter(low=1e-4, high=0.99995)
    assert number.decode(0.00123456789) == 0.001235
    assert number.decode(0.999949) == 0.9999
    assert number.decode(0.99995) == 0.99995, "rounded up it would leave the range"
    assert Parameter(low=1, high=8, whole=True).decode(3) == 3
    either = Parameter(choices=(None, [1, 2], "x", True))
    assert [either.decode(either.encode(value)) for value in (None, [1, 2], "x", True)] == [None, [1, 2], "x", True]
    assert not either.holds(1)


@pytest.mark.parametrize("path", sorted((ROOT / "pipeline" / "searches").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_spaces_hold_their_recipes_and_nothing_impossible(path: Path) -> None:
    recipe, found = load_recipe(ROOT / "pipeline" / "recipes" / path.name), load_space(path, path.stem)
    assert found.variant(recipe, found.own_values(recipe, str(path)), str(path)) == recipe
    data = DataSpec(fields={**SPEC.fields, "image": ImageField(channels=1, size=32)})
    for key, parameter in found.space.items():
        for value in parameter.extremes:
            variant = found.variant(recipe, {key: value}, str(path))
            assert TrainingJob("x", variant, TrainParams(device="cpu"), 0, data, "d").problems(1000) == []
