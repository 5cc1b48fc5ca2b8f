"""Which player sees which images in a step."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from tiny_training import make_trainer, shrunk
from torch import Tensor

from ganops.data.rows import Rows
from ganops.games.game import Losses
from ganops.games.sampling import CHUNK, draw_latents


@pytest.mark.parametrize("turns", [1, 2])
def test_the_generator_sees_the_last_batch_of_the_discriminator_flipped_as_that_was(turns: int, tmp_path: Path) -> None:
    recipe = shrunk("dcgan").model_copy(update={"flip": True, "turns": {"discriminator": turns}})
    trainer = make_trainer(tmp_path, recipe)
    seen: list[tuple[str, Tensor]] = []
    original = trainer.game.losses

    def losses(player: str, batch: Rows, step: int, micro_batch: int) -> Losses:
        seen.append((player, batch["image"]))
        return original(player, batch, step, micro_batch)

    trainer.game.losses = losses
    for _ in range(2):
        trainer.run_step()
    assert [player for player, _ in seen] == (["discriminator"] * turns + ["generator"]) * 2
    images = [images for _, images in seen]
    for last in (turns, 2 * turns + 1):
        assert torch.equal(images[last], images[last - 1])
    fresh = [shown for player, shown in seen if player == "discriminator"]
    assert not any(torch.equal(one, other) for one, other in itertools.pairwise(fresh))


@pytest.mark.parametrize("parts", [1, 2])
def test_latents_of_a_training_are_not_those_of_samples_with_its_seed(parts: int, tmp_path: Path) -> None:
    """By default evaluation has the seed of the training; it must not ask for the latents of its first steps."""
    trainer = make_trainer(tmp_path, shrunk("mlp").model_copy(update={"micro_batches": parts}), seed=7)
    trained: list[Tensor] = []
    trainer.game.generator.register_forward_pre_hook(lambda _, given: trained.append(given[0].detach().clone()))
    for _ in range(3):
        trainer.run_step()
    drawn = draw_latents(trainer.game.task.latents, 3 * CHUNK, seed=7)
    assert drawn is not None
    assert len(trained) >= 3
    for row in torch.cat(trained):
        assert not torch.isclose(drawn["z"], row).all(dim=1).any()
