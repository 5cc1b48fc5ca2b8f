"""`ganops recipes` lists every shipped recipe with its task; `show` counts the weights of each layer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
from click.testing import Result
from playing import points_spec, spec_of

from ganops.commands._measured import Measured, measured
from ganops.commands._networks import layers, summarize
from ganops.commands.recipes import FAMILIES
from ganops.errors import SettingsError
from ganops.games.build import build_game
from ganops.recipe import Recipe, load_recipe
from ganops.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "pipeline" / "recipes"
SPEC = spec_of(1, 32, tuple("0123456789"))


@pytest.fixture
def run_here(run: Callable[..., Result], tracking_home: Path) -> Callable[..., Result]:
    (tracking_home / "pipeline").mkdir(exist_ok=True)
    (tracking_home / "pipeline" / "recipes").symlink_to(RECIPES)
    return run


def names_in(block: str) -> list[str]:
    """The recipes of a family's block, below its heading."""
    return [line.split()[0] for line in block.splitlines()[1:]]


def test_every_recipe_is_listed_once_in_its_family_and_presets_come_last(run_here: Callable[..., Result]) -> None:
    *families, presets = run_here("recipes", "--quick").output.rstrip().split("\n\n")
    titles = [re.split(r"  +", block)[0] for block in families]
    assert titles == [family for family in FAMILIES if family in titles]
    listed = dict(zip(titles, map(names_in, families), strict=True))
    assert sorted(chain.from_iterable(listed.values())) == sorted(path.stem for path in RECIPES.glob("*.yaml"))
    assert names_in(presets) == sorted(path.stem for path in RECIPES.glob("paper/*.yaml"))
    for family, name in (
        *(("From noise", "dcgan"), ("Of a class", "cgan"), ("With an encoder", "bigan")),
        *(("An image from an image", "denoise"), ("An image from an image", "pix2pix")),
        *(("Between domains, without pairs", "cyclegan"), ("From a trained model", "transfer")),
    ):
        assert name in listed[family]


def test_show_prints_task_layers_shapes_and_weights(run_here: Callable[..., Result]) -> None:
    output = run_here("recipes", "show", "dcgan").output
    assert "noise -> image" in output
    assert re.search(r"layers\.0 +SpreadLatents\(100, 128, .*\) +128 x 4 x 4 +204,800", output)
    assert re.search(r"Conv2d\(1, 32, .*\) +32 x 16 x 16 +544", output)
    assert "Radford et al. 2015" in output


def test_show_says_how_large_the_patches_are_that_a_discriminator_sees(run_here: Callable[..., Result]) -> None:
    assert "sees patches of 16 x 16 pixels" in run_here("recipes", "show", "deblur").output


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


def test_the_list_says_what_fits_the_cost_and_minutes_from_what_was_trained(
    run_here: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cost is operations times budget, in units of dcgan's; dcgan took 3 minutes for half of its budget here."""
    few = {name: load_recipe(RECIPES / f"{name}.yaml") for name in ("mlp", "dcgan", "pix2pix")}
    monkeypatch.setattr("ganops.recipe.load_recipes", lambda _folder: few)
    trained = Path("results/train/dcgan")
    trained.mkdir(parents=True)
    (trained / "training.json").write_text(json.dumps({"seconds": 180, "kimg": few["dcgan"].budget_kimg / 2}))
    output = run_here("recipes").output
    rows = {line.split("  ")[0]: line for line in output.splitlines()}
    assert re.match(r"dcgan +yes +\d{3},\d{3} +1\.0 +6\.0 +", rows["dcgan"])
    flops = {name: summarize(few[name], SPEC).flops * few[name].budget_kimg for name in ("mlp", "dcgan")}
    share = flops["mlp"] / flops["dcgan"]
    assert re.match(rf"mlp +yes +1,\d+,\d+ +{share:.1f} +{6 * share:.1f} +", rows["mlp"])
    assert re.match(r"pix2pix +no: needs-pairs +- +- +- +", rows["pix2pix"])


def test_what_was_measured_is_measured_again_only_where_a_recipe_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipes, asked = {name: load_recipe(RECIPES / f"{name}.yaml") for name in ("mlp", "dcgan")}, list[str]()

    def measure(name: str, _recipe: Recipe) -> Measured:
        asked.append(name)
        return Measured("yes", len(name), 7)

    first = measured(recipes, measure)
    assert first == {"mlp": ("yes", 3, 7), "dcgan": ("yes", 5, 7)}
    assert measured(recipes, measure) == first
    assert asked == ["mlp", "dcgan"]
    changed = recipes | {"mlp": recipes["mlp"].model_copy(update={"batch_size": 2})}
    assert measured(changed, measure) == first
    assert asked == ["mlp", "dcgan", "mlp"]
    Workspace().prepared.mkdir(parents=True)
    (Workspace().prepared / "manifest.json").write_text("other data")
    measured(changed, measure)
    assert asked[3:] == ["mlp", "dcgan"]
    for content in ("[1]", '{"a": 1}', "\xff"):
        Workspace().measured.write_text(content, encoding="latin-1")
        measured(changed, measure)
    assert len(asked) == 11, "a damaged file is made again"
