"""Every shipped recipe: it loads, says where it comes from, and plays a round on every kind of data it claims."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from playing import DIGITS, moved, optimizers_of, random_batch, run_step, snapshot, spec_of
from torch import nn

from ganops.games.build import build_game, recipe_spec
from ganops.games.game import GAMES, Game
from ganops.games.sampling import sample_images
from ganops.games.saved import SavedModel, load_game, networks_of, save_game
from ganops.networks.network import NETWORKS
from ganops.recipe import Recipe, load_recipe

FOLDER = Path(__file__).resolve().parents[2] / "pipeline" / "recipes"
RECIPES = {path.stem: load_recipe(path) for path in sorted(FOLDER.glob("*.yaml"))}
SHAPES = [(1, 28), (3, 32)]
SMALL = {"width": 4, "widths": [12, 8], "max_width": 8, "latent_dim": 16, "embedding_dim": 6, "group_width": 4}


def shrunk(recipe: Recipe) -> Recipe:
    """The same recipe with narrow networks."""
    networks = {}
    for name, section in recipe.networks.items():
        known = type(NETWORKS.settings(section, name)).model_fields
        networks[name] = section | {key: value for key, value in SMALL.items() if key in known}
    return recipe.model_copy(update={"networks": networks})


def small_game(recipe: Recipe, channels: int, size: int) -> Game:
    torch.manual_seed(0)
    return build_game(shrunk(recipe), recipe_spec(recipe, spec_of(channels, size, DIGITS)))


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    recipe = RECIPES[name]
    assert 10 < len(recipe.summary) <= 90
    assert "arXiv:" in recipe.paper or "https://" in recipe.paper
    assert recipe.ema is not None


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_file_is_short_and_explains_every_line(name: str) -> None:
    lines = [line for line in (FOLDER / f"{name}.yaml").read_text().splitlines() if line]
    assert len(lines) <= 50
    assert all(len(line) <= 120 for line in lines)
    unexplained = [line for line in lines if "#" not in line and not line.endswith(":")]
    assert not unexplained


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_of_full_width_can_be_built(name: str) -> None:
    game = build_game(RECIPES[name], recipe_spec(RECIPES[name], spec_of(3, 32, DIGITS)))
    assert game.class_count == (len(DIGITS) if "labels" in RECIPES[name].needs else 0)


@pytest.mark.parametrize(("channels", "size"), SHAPES)
@pytest.mark.parametrize("name", RECIPES)
def test_recipe_plays_rounds_and_moves_every_weight(name: str, channels: int, size: int) -> None:
    """Two rounds, since a layer that starts at zero holds back the gradient of those behind it in the first.

    A lone number may stay: the last bias of a critic adds as much to real as to fake.
    """
    recipe = RECIPES[name]
    game = small_game(recipe, channels, size)
    networks: dict[str, nn.Module] = networks_of(game)
    before = {part: snapshot(network) for part, network in networks.items()}
    optimizers = optimizers_of(game)
    batch = random_batch(recipe_spec(recipe, spec_of(channels, size, DIGITS)))
    for step in range(2):
        for player, turn in run_step(game, batch, step, optimizers).items():
            assert turn.losses
            assert all(value.isfinite() for value in {**turn.losses, **turn.logs}.values()), (player, turn)
    for part, network in networks.items():
        changed = moved(network, before[part])
        assert not [key for key, weight in before[part].items() if key not in changed and weight.numel() > 1]


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_plays_in_bfloat16_too(name: str) -> None:
    game = small_game(RECIPES[name], 1, 28)
    batch = random_batch(recipe_spec(RECIPES[name], spec_of(1, 28, DIGITS)))
    with torch.autocast("cpu", torch.bfloat16):
        turns = run_step(game, batch, 0, optimizers_of(game))
        (images,) = sample_images(game, 2, seed=0)
    assert all(value.isfinite() for turn in turns.values() for value in turn.losses.values())
    assert all(turn.total.dtype == torch.float32 for turn in turns.values())
    assert len(images) == 2


@pytest.mark.parametrize("name", RECIPES)
def test_model_of_a_recipe_gives_the_same_images_back(name: str, tmp_path: Path) -> None:
    recipe = RECIPES[name]
    game = small_game(recipe, 1, 28)
    spec = recipe_spec(recipe, spec_of(1, 28, DIGITS))
    run_step(game, random_batch(spec), 0, optimizers_of(game))
    save_game(tmp_path, game, SavedModel(name=name, recipe=shrunk(recipe), spec=spec))
    images, again = (torch.cat(list(sample_images(g, 6, seed=0))) for g in (game, load_game(tmp_path)))
    assert images.shape == (6, *spec.shape)
    assert torch.equal(images, again)


@pytest.mark.parametrize(("channels", "size"), [(1, 64), (3, 128)])
@pytest.mark.parametrize("name", RECIPES)
def test_generators_and_discriminators_of_recipes_reach_larger_sizes(name: str, channels: int, size: int) -> None:
    game = small_game(RECIPES[name], channels, size)
    (images,) = sample_images(game, 2, seed=0)
    assert images.shape[1:] == recipe_spec(RECIPES[name], spec_of(channels, size)).shape


def used(sort: str) -> set[Any]:
    """KindRegistry that some recipe uses."""
    if sort == "game":
        return {recipe.game["kind"] for recipe in RECIPES.values()}
    return {section["kind"] for recipe in RECIPES.values() for section in recipe.networks.values()}


def test_no_game_and_no_network_is_without_a_recipe() -> None:
    assert used("game") == set(GAMES.names())
    assert used("network") == set(NETWORKS.names())


def test_the_page_on_recipes_has_a_row_for_each() -> None:
    page = (FOLDER.parents[1] / "docs" / "recipes.md").read_text()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `") and "arXiv" in line}
    assert set(rows) == set(RECIPES)
    for name, row in rows.items():
        assert RECIPES[name].paper in row
        assert RECIPES[name].game["loss"] in row
        assert row.endswith(f" {RECIPES[name].budget_kimg:g} |")
