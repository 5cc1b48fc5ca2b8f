"""Killed with SIGKILL at random moments and started again, every kind of game ends with the undisturbed run's bits."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from forks import fork_context
from safetensors.torch import load_file
from tiny_training import make_trainer, run, shrunk, train_to_the_end, weights

from ganops.games.game import GAMES
from ganops.training.history import write_history

# Each kind of game, and of what a checkpoint has to hold: turns, adapted strength, sizes of gradients.
RECIPES = (
    "dcgan",
    "wgan-gp",
    "cgan",
    "acgan",
    "infogan",
    "bigan",
    "unrolled",
    "fastgan",
    "stylegan2-ada",
    "denoise",
    "denoise-l1",
    "pix2pixhd",
    "spade",
    "cyclegan",
    "cut",
    "discogan",
    "stargan",
    "srgan",
    "vae",
)
KIMG, KILLS = 0.32, 4


def test_every_kind_of_game_is_killed() -> None:
    assert {shrunk(name).game["kind"] for name in RECIPES} == set(GAMES.names())


@pytest.mark.parametrize("name", RECIPES)
def test_killed_at_random_moments_training_ends_with_the_same_bits(name: str, tmp_path: Path) -> None:
    """A checkpoint is written after every step, so most kills hit the writing of a checkpoint or of samples."""
    context = fork_context()
    seed = random.randrange(1000)
    chance = random.Random(seed)
    undisturbed = run(make_trainer(tmp_path / "whole", shrunk(name, KIMG)))
    folder, kills = tmp_path / "killed", 0
    for _ in range(200):
        child = context.Process(target=train_to_the_end, args=(folder, name, KIMG))
        child.start()
        child.join(chance.uniform(0.05, 0.45) if kills < KILLS else 120)
        if child.is_alive():
            child.kill()
            kills += 1
        child.join()
        if child.exitcode == 0:
            break
    assert child.exitcode == 0, f"never finished (seed {seed})"
    assert kills > 0, f"no kill hit (seed {seed})"
    survived, expected = load_file(folder / "weights.safetensors"), weights(undisturbed)
    assert survived.keys() == expected.keys()
    different = [key for key in expected if not torch.equal(survived[key], expected[key])]
    assert not different, f"these differ: {different} (seed {seed})"
    write_history(tmp_path / "whole.csv", undisturbed.history)
    assert (folder / "history.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
