"""The baseline of paired translation: one player, one distance, and a task that it learns."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playing import optimizers_of, random_batch, recipe, run_step, spec_of

from ganops.data.derived.derivation import with_derived
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.build import build_game, recipe_spec
from ganops.games.game import Game

NOISE = {"source": {"kind": "noise", "of": "image", "sigma": 0.5}}


def built(**game: Any) -> tuple[Game, DataSpec]:
    """The game, and what its batches are."""
    torch.manual_seed(0)
    made = recipe(
        game={"kind": "regression", **game},
        networks={"generator": {"kind": "unet", "width": 8}},
        optimizers={"generator": {"lr": 1e-3}},
        derived=NOISE,
    )
    spec = recipe_spec(made, spec_of(1, 16))
    return build_game(made, spec), spec


@pytest.mark.parametrize(("loss", "power"), [("l1", 1), ("l2", 2)])
def test_the_generator_minimises_its_distance_to_the_truth(loss: str, power: int) -> None:
    game, spec = built(loss=loss)
    batch = random_batch(spec)
    difference = game.generate(batch)["image"] - batch["image"]
    turn = game.losses("generator", batch, 0)
    assert list(turn.losses) == ["loss"]
    torch.testing.assert_close(turn.total, difference.abs().pow(power).mean())


def test_it_has_one_player_and_the_task_of_pix2pix() -> None:
    game, _ = built()
    assert dict(game.players) == {"generator": ("generator",)}
    assert (list(game.task.inputs), list(game.task.outputs), game.task.paired) == (["source"], ["image"], True)
    assert game.default_metric == "psnr"


def test_it_learns_to_remove_noise() -> None:
    """Images of one brightness each: the noise of a pixel is 0.5, the U-Net averages it away."""
    game, spec = built()

    def batch() -> Rows:
        brightness = torch.rand(16, 1, 1, 1) * 1.6 - 0.8
        return with_derived(Rows({"image": brightness.expand(-1, -1, 16, 16).contiguous()}), spec)

    optimizers = optimizers_of(game)
    for step in range(60):
        run_step(game, batch(), step, optimizers)
    unseen = batch()
    with torch.no_grad():
        made = game.eval().generate(unseen)["image"]
    before, after = ((images - unseen["image"]).abs().mean().item() for images in (unseen["source"], made))
    assert after < 0.5 * before
