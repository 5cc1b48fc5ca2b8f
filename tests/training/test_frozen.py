"""What is frozen stays as it is, to the bit, while the rest trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import MeanImage, make_trainer, run, save_model, shrunk

from ganops.errors import SettingsError
from ganops.games.game import Game
from ganops.games.saved import load_game
from ganops.recipe import InitSettings, Recipe


class Switching(MeanImage):
    """A validation metric that leaves the whole game in training mode, and moves its running statistics."""

    def __call__(self, game: Game) -> float:
        value = super().__call__(game)
        game.train()
        return value


def frozen(name: str, *parts: str, **changes: Any) -> Recipe:
    """A shipped recipe, shrunk, with parts that are not trained."""
    return shrunk(name, kimg=0.16, init=InitSettings(model="start", freeze=parts), **changes)


@pytest.mark.parametrize(
    ("name", "parts", "changes"),
    [
        ("dcgan", ("generator.layers.0", "generator.layers.1", "discriminator.layers.0"), {}),
        ("sngan", ("discriminator.layers.0", "generator.blocks.0"), {"ema": None}),
        ("wgan", ("discriminator.layers.0",), {}),
        ("unrolled", ("discriminator.layers.0",), {}),
    ],
    ids=["batch norm", "spectral norm, no average", "clipped", "imagined steps"],
)
def test_frozen_parts_keep_weights_and_statistics_and_all_others_train(
    name: str, parts: tuple[str, ...], changes: dict[str, Any], tmp_path: Path
) -> None:
    recipe = frozen(name, *parts, **changes)
    start = load_game(save_model(tmp_path / "start", recipe)).state_dict()
    trainer = run(
        make_trainer(tmp_path, recipe, start=tmp_path / "start", validation=Switching(), checkpoint_seconds=1e9)
    )
    prefixes = tuple(f"{part}." for part in parts)
    for trained in (trainer.game.state_dict(), trainer.ema.game.state_dict()):
        changed = [key for key, tensor in start.items() if not torch.equal(trained[key], tensor)]
        assert not [key for key in changed if key.startswith(prefixes)]
    weights = dict(trainer.game.named_parameters())
    still = [key for key in weights if torch.equal(weights[key], start[key]) and weights[key].numel() > 1]
    assert all(key.startswith(prefixes) for key in still)
    learned = {id(p) for each in trainer.optimizers.values() for group in each.param_groups for p in group["params"]}
    assert learned == {id(weight) for key, weight in weights.items() if not key.startswith(prefixes)}


def test_a_player_must_have_something_to_train(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        make_trainer(tmp_path, frozen("mlp", "generator"))
    assert (caught.value.code, caught.value.found) == ("nothing-to-train", "generator")


def test_an_unknown_part_offers_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        make_trainer(tmp_path, frozen("dcgan", "discriminator.layer.0"))
    assert "did you mean 'discriminator.layers.0'" in caught.value.action
