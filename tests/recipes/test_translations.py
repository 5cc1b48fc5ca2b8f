"""Every recipe that makes images from images: an output is the same alone, in a batch and in another order."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from playing import DIGITS, domains_spec, maps_spec, optimizers_of, pairs_spec, random_batch, run_step, spec_of
from torch import Tensor

from ganops.data.fields.label_map import PictureField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.build import build_game, recipe_spec
from ganops.games.game import Game
from ganops.games.sampling import HeldOut, sample_outputs
from ganops.networks.network import NETWORKS
from ganops.recipe import Recipe, load_recipe

FOLDER = Path(__file__).resolve().parents[2] / "pipeline" / "recipes"
SMALL = {"width": 4, "max_width": 8}
COUNT = 7


def data_for(recipe: Recipe) -> DataSpec:
    """Grey images of 32 pixels in the form that the recipe needs."""
    if "domains" in recipe.needs:
        return domains_spec(1, 32, DIGITS)
    if "label-maps" in recipe.needs:
        return maps_spec(1, 32)
    return pairs_spec(1, 32) if "pairs" in recipe.needs else spec_of(1, 32, DIGITS)


def built(name: str) -> tuple[Game, DataSpec]:
    """The recipe's game with narrow networks after one step, so that no norm still has its first statistics."""
    recipe = load_recipe(FOLDER / f"{name}.yaml")
    networks = {}
    for part, section in recipe.networks.items():
        known = type(NETWORKS.settings(section, part)).model_fields
        networks[part] = section | {key: value for key, value in SMALL.items() if key in known}
    spec = recipe_spec(recipe, data_for(recipe))
    torch.manual_seed(0)
    game = build_game(recipe.model_copy(update={"networks": networks}), spec)
    run_step(game, random_batch(spec), 0, optimizers_of(game))
    return game, spec


def is_translation(name: str) -> bool:
    """Whether the first task makes images from images."""
    recipe = load_recipe(FOLDER / f"{name}.yaml")
    with torch.device("meta"):
        task = build_game(recipe, recipe_spec(recipe, data_for(recipe))).task
    return any(isinstance(field, PictureField) for field in task.inputs.values())


TRANSLATIONS = [path.stem for path in sorted(FOLDER.glob("*.yaml")) if is_translation(path.stem)]


def test_all_kinds_of_translations_are_among_them() -> None:
    assert {"cyclegan", "cycada", "cut", "fastcut", "discogan", "stargan", "pix2pix", "denoise", "spade"} <= set(
        TRANSLATIONS
    )


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_an_output_is_the_same_alone_in_a_batch_and_in_another_order(name: str) -> None:
    """Test outputs of the reference projects depend on their batch where a batch norm is left in training mode."""
    game, spec = built(name)
    for task in game.tasks:
        stored = _stored(game, spec, task)
        together = _outputs(game, spec, task, stored, COUNT)
        alone = _outputs(game, spec, task, stored, 1)
        order = torch.randperm(COUNT)
        shuffled = _outputs(game, spec, task, stored.select(order), COUNT)
        # Convolutions of other batch sizes may round differently: one grey level at most.
        assert (together.int() - alone.int()).abs().max() <= 1
        assert (together[order].int() - shuffled.int()).abs().max() <= 1
        assert together.float().std() > 0


def _stored(game: Game, spec: DataSpec, task: str) -> Rows:
    """Stored inputs of a task, the derived ones too: these would be drawn by their place."""
    modelled, inputs = random_batch(spec, COUNT), game.tasks[task].inputs
    return Rows({name: field.to_storage(modelled[name]) for name, field in inputs.items()})


def _outputs(game: Game, spec: DataSpec, task: str, stored: Rows, batch_size: int) -> Tensor:
    """What the game makes of them, in batches."""
    given = dict(stored.items())
    held_out = HeldOut(stored, spec)
    rows = sample_outputs(game, COUNT, 0, task=task, given=given, held_out=held_out, batch_size=batch_size)
    return next(iter(rows.values()))
