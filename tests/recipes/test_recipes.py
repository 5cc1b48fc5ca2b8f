"""Every shipped recipe: it loads, cites its paper, and takes steps on every kind of data it is meant for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from playing import (
    DIGITS,
    domains_spec,
    maps_spec,
    moved,
    optimizers_of,
    pairs_spec,
    points_spec,
    random_batch,
    run_step,
    snapshot,
    spec_of,
)
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games import sampling
from ganops.games.build import build_game, recipe_spec
from ganops.games.game import GAMES, Game
from ganops.games.sampling import HeldOut, draw_latents, sample_outputs
from ganops.games.saved import SavedModel, load_game, save_game
from ganops.networks.network import NETWORKS
from ganops.recipe import Recipe, load_recipe, preset_files

FOLDER = Path(__file__).resolve().parents[2] / "pipeline" / "recipes"
RECIPES = {path.stem: load_recipe(path) for path in sorted(FOLDER.glob("*.yaml"))}
FOR_VECTORS = sorted(name for name, recipe in RECIPES.items() if name == "points" or name.startswith(("mlp", "vae")))
SMALL = {"width": 4, "widths": [12, 8], "max_width": 8, "latent_dim": 16, "embedding_dim": 6, "group_width": 4}
DATA = {
    "grey 32": spec_of(1, 32, DIGITS),
    "rgb 28": spec_of(3, 28, DIGITS),
    "rgb 128": spec_of(3, 128, DIGITS),
    "points": points_spec(DIGITS),
}
DOMAINS = {
    "grey 32": domains_spec(1, 32, DIGITS),
    "rgb 28": domains_spec(3, 28, DIGITS),
    "rgb 128": domains_spec(3, 128, DIGITS),
}
PAIRS = {"grey 32": pairs_spec(1, 32), "rgb 28": pairs_spec(3, 28), "rgb 128": pairs_spec(3, 128)}
FORMS = ("grey 32", "rgb 28", "points")
MAPS = {"grey 32": maps_spec(1, 32), "rgb 28": maps_spec(3, 28), "rgb 128": maps_spec(3, 128)}
CASES = [(name, data) for name in RECIPES for data in FORMS if data != "points" or name in FOR_VECTORS]


def data_for(recipe: Recipe, data: str) -> DataSpec:
    """Data of this form that the recipe can be trained on."""
    known = {"pairs": PAIRS, "label-maps": MAPS, "domains": DOMAINS}
    return next((known[need] for need in recipe.needs if need in known), DATA)[data]


def shrunk(recipe: Recipe) -> Recipe:
    """The same recipe with narrow networks."""
    networks = {}
    for name, section in recipe.networks.items():
        known = type(NETWORKS.settings(section, name)).model_fields
        small = {key: value for key, value in SMALL.items() if key in known}
        if "widths" not in section:  # then a rule gives them, and how many there are depends on the size
            small.pop("widths", None)
        networks[name] = section | small
    if "decoder" in networks:  # the encoder of a VAE returns two numbers for each latent
        networks["encoder"]["latent_dim"] = 2 * networks["decoder"]["latent_dim"]
    return recipe.model_copy(update={"networks": networks})


def small_game(recipe: Recipe, data: DataSpec) -> Game:
    torch.manual_seed(0)
    return build_game(shrunk(recipe), recipe_spec(recipe, data))


def samples(game: Game, spec: DataSpec, count: int) -> Tensor:
    """Outputs of the first task, with inputs from uniform noise where the data must give them."""
    torch.manual_seed(0)
    modelled = random_batch(spec, 3)
    stored = Rows({name: field.to_storage(modelled[name]) for name, field in spec.fields.items()})
    outputs = sample_outputs(game, count, seed=0, held_out=HeldOut(stored, spec))
    return next(iter(outputs.values()))


@pytest.fixture(autouse=True)
def _few_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derived sources are made for a whole chunk of 256 rows; these tests look at 6 at most."""
    monkeypatch.setattr(sampling, "CHUNK", 8)


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_has_a_summary_a_paper_and_an_average(name: str) -> None:
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
    recipe = RECIPES[name]
    game = build_game(recipe, recipe_spec(recipe, data_for(recipe, "rgb 28")))
    assert ("label" in game.task.inputs) == ("labels" in recipe.needs)
    assert list(game.task.outputs) == ["B" if "domains" in recipe.needs else "image"]


@pytest.mark.parametrize(("name", "data"), CASES)
def test_recipe_takes_steps_and_moves_every_weight(name: str, data: str) -> None:
    """Two steps, since a layer that starts at zero holds back the gradient of those behind it in the first.

    A single number may stay: the last bias of a critic adds as much to real as to fake logits.
    """
    recipe = RECIPES[name]
    spec, game = recipe_spec(recipe, data_for(recipe, data)), small_game(recipe, data_for(recipe, data))
    trained = [network for networks in game.players.values() for network in networks]
    networks: dict[str, nn.Module] = {network: game.get_submodule(network) for network in trained}
    before = {part: snapshot(network) for part, network in networks.items()}
    optimizers = optimizers_of(game)
    batch = random_batch(spec)
    for step in range(2):
        for player, turn in run_step(game, batch, step, optimizers).items():
            assert turn.losses
            assert all(value.isfinite() for value in {**turn.losses, **turn.logs}.values()), (player, turn)
    for part, network in networks.items():
        changed = moved(network, before[part])
        assert not [key for key, weight in before[part].items() if key not in changed and weight.numel() > 1]


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_trains_in_bfloat16(name: str) -> None:
    spec = recipe_spec(RECIPES[name], data_for(RECIPES[name], "grey 32"))
    game = small_game(RECIPES[name], data_for(RECIPES[name], "grey 32"))
    batch = random_batch(spec)
    with torch.autocast("cpu", torch.bfloat16):
        turns = run_step(game, batch, 0, optimizers_of(game))
        assert len(samples(game, spec, 2)) == 2
    assert all(value.isfinite() for turn in turns.values() for value in turn.losses.values())
    assert all(turn.total.dtype == torch.float32 for turn in turns.values())


@pytest.mark.parametrize(("name", "data"), [case for case in CASES if case[1] != "rgb 28"])
def test_model_of_a_recipe_gives_the_same_samples_back(name: str, data: str, tmp_path: Path) -> None:
    recipe = RECIPES[name]
    spec, game = recipe_spec(recipe, data_for(recipe, data)), small_game(recipe, data_for(recipe, data))
    run_step(game, random_batch(spec), 0, optimizers_of(game))
    save_game(tmp_path, game, SavedModel(name=name, recipe=shrunk(recipe), spec=spec))
    rows, again = (samples(each, spec, 6) for each in (game, load_game(tmp_path)))
    assert rows.shape == (6, *spec.fields[spec.target].shape)
    assert torch.equal(rows, again)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_generate_larger_images(name: str) -> None:
    data = data_for(RECIPES[name], "rgb 128")
    generated = samples(small_game(RECIPES[name], data), recipe_spec(RECIPES[name], data), 2)
    assert generated.shape[1:] == (3, 128, 128)


@pytest.mark.parametrize("name", RECIPES)
def test_figures_have_whole_rows_a_title_and_a_caption(name: str) -> None:
    spec = recipe_spec(RECIPES[name], data_for(RECIPES[name], "grey 32"))
    game = small_game(RECIPES[name], data_for(RECIPES[name], "grey 32")).eval()
    latents = draw_latents(game.task.latents, 4, seed=0) or Rows({"none": torch.zeros(4, 0)})
    with torch.no_grad():
        figures = game.figures(latents, random_batch(spec, 8))
    for figure in figures.values():
        assert len(figure.modelled) % figure.columns == 0
        assert figure.modelled.shape[1:] == figure.field.shape
        assert figure.title
        assert figure.caption.endswith(".")


def used(category: str) -> set[str]:
    """The kinds that some recipe or preset uses."""
    recipes = [*RECIPES.values(), *map(load_recipe, preset_files(FOLDER).values())]
    if category == "game":
        return {recipe.game["kind"] for recipe in recipes}
    return {section["kind"] for recipe in recipes for section in recipe.networks.values()}


def test_every_game_and_every_network_has_a_recipe() -> None:
    assert used("game") == set(GAMES.names())
    assert used("network") == set(NETWORKS.names())
