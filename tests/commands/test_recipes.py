"""`ganops recipes` lists every shipped recipe with its task; `show` counts the weights of each layer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from playing import points_spec, spec_of

from ganops.commands._networks import layers, summarize
from ganops.errors import SettingsError
from ganops.games.build import build_game
from ganops.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "pipeline" / "recipes"
SPEC = spec_of(1, 32, tuple("0123456789"))


@pytest.fixture
def run_here(run: Callable[..., Result], tracking_home: Path) -> Callable[..., Result]:
    (tracking_home / "pipeline").mkdir(exist_ok=True)
    (tracking_home / "pipeline" / "recipes").symlink_to(RECIPES)
    return run


def test_every_recipe_is_listed_with_what_it_needs(run_here: Callable[..., Result]) -> None:
    lines, presets = (part.splitlines() for part in run_here("recipes", "--quick").output.split("\n\n"))
    assert [line.split()[0] for line in lines[1:]] == sorted(path.stem for path in RECIPES.glob("*.yaml"))
    assert [line.split()[0] for line in presets[1:]] == sorted(path.stem for path in RECIPES.glob("paper/*.yaml"))
    (conditional,) = (line for line in lines if line.startswith("cgan "))
    assert "labels" in conditional
    assert "arXiv:1411.1784" in conditional


def test_show_prints_task_layers_shapes_and_weights(run_here: Callable[..., Result]) -> None:
    output = run_here("recipes", "show", "dcgan").output
    assert "noise -> image" in output
    assert re.search(r"layers\.0 +SpreadLatents\(100, 128, .*\) +128 x 4 x 4 +204,800", output)
    assert re.search(r"Conv2d\(1, 32, .*\) +32 x 16 x 16 +544", output)
    assert "Radford et al. 2015" in output


def test_an_unknown_recipe_offers_the_nearest(run_here: Callable[..., Result]) -> None:
    error = run_here("recipes", "show", "dgan").exception
    assert isinstance(error, SettingsError)
    assert "'dcgan'" in error.action


def test_outside_a_checkout_there_are_no_recipes(run: Callable[..., Result]) -> None:
    error = run("recipes").exception
    assert isinstance(error, SettingsError)
    assert error.code == "no-recipes"


@pytest.mark.parametrize("name", ["mlp", "dcgan", "sngan", "infogan"])
def test_the_layers_of_a_network_hold_all_of_its_weights(name: str) -> None:
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    game = build_game(recipe, SPEC)
    found = layers(recipe, SPEC)
    for network, module in game.named_children():
        expected = sum(parameter.numel() for parameter in module.parameters())
        assert sum(layer.weights for layer in found[network]) == expected
    images = [layer.output for layer in found["generator"] if layer.output]
    assert images[-1] in ("1 x 32 x 32", "1024"), "the last layer puts out the pixels"


def test_the_cost_of_a_linear_generator_is_two_operations_a_weight() -> None:
    """Biases and norms are not multiplied: 2 x (100 x 128 + 128 x 256 + 256 x 512 + 512 x 1024)."""
    found = summarize(load_recipe(RECIPES / "mlp.yaml"), SPEC)
    assert found.flops == 2 * (100 * 128 + 128 * 256 + 256 * 512 + 512 * 1024)
    assert set(found.weights) == {"generator", "discriminator"}


def test_tasks_are_named_by_their_columns() -> None:
    assert summarize(load_recipe(RECIPES / "cgan.yaml"), SPEC).task == "label -> image"
    assert summarize(load_recipe(RECIPES / "mlp.yaml"), points_spec()).task == "noise -> vector"


def test_the_list_shows_the_task_and_the_cost_of_every_recipe(run_here: Callable[..., Result]) -> None:
    done = run_here("recipes")
    assert done.exit_code == 0, done.exception
    _, *lines = done.output.split("\n\n")[0].splitlines()
    assert len(lines) == len(list(RECIPES.glob("*.yaml")))
    assert any("label -> image" in line for line in lines)
