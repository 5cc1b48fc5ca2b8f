"""The plain GAN: which weights move in whose turn, logs, clipping and lazy penalties."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playing import moved, optimizers_of, random_batch, recipe, run_step, snapshot, spec_of

from ganops.data.rows import Rows
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.objectives.adversarial import ADVERSARIAL

SPEC = spec_of(1, 28)


def unconditional(**game: Any) -> Game:
    return build_game(recipe(game={"kind": "unconditional", "loss": "hinge", **game}), SPEC)


@pytest.mark.parametrize("loss", ADVERSARIAL)
def test_each_player_moves_its_own_network_only(loss: str) -> None:
    game = unconditional(loss=loss)
    optimizers, batch = optimizers_of(game), random_batch(SPEC)
    for player, other in (("discriminator", "generator"), ("generator", "discriminator")):
        before = {name: snapshot(network) for name, network in game.named_children()}
        torch.autograd.backward(
            game.losses(player, batch, 0).total, inputs=list(game.get_submodule(player).parameters())
        )
        optimizers[player].step()
        still = set(before[player]) - set(moved(game.get_submodule(player), before[player]))
        assert not [key for key in still if before[player][key].numel() > 1]  # D's last bias falls out of a difference
        assert not moved(game.get_submodule(other), before[other])


def test_generator_reuses_the_rows_that_the_discriminator_saw() -> None:
    """Each micro-batch of a step its own; a second turn in the same step generates new ones."""
    game, batch = unconditional(loss="wasserstein"), random_batch(SPEC)
    scores = [game.losses("discriminator", batch, 0, part).logs["D(G(z))"].item() for part in (0, 1)]
    assert scores[0] != scores[1]
    for part, score in enumerate(scores):
        assert game.losses("generator", batch, 0, part).total.item() == pytest.approx(-score, abs=1e-6)
    assert game.losses("generator", batch, 0, 0).total.item() != pytest.approx(-scores[0], abs=1e-6)


def test_logs_have_no_graph() -> None:
    turns = run_step(game := unconditional(), random_batch(SPEC), 0, optimizers_of(game))
    logs = turns["discriminator"].logs
    assert {"D(x)", "D(G(z))"} <= set(logs)
    assert not any(value.requires_grad for value in logs.values())


@pytest.mark.parametrize("kind", ["gradient-penalty", "r1", "dragan"])
def test_penalty_is_a_term_of_its_own_in_every_nth_step(kind: str) -> None:
    game = unconditional(penalty={"kind": kind, "weight": 2.0, "every": 3})
    paid = [kind in game.losses("discriminator", random_batch(SPEC), step).losses for step in range(7)]
    assert paid == [True, False, False, True, False, False, True]


def test_a_lazy_penalty_weighs_as_much_on_average() -> None:
    """R1 draws no random numbers: the same discriminator has three times the term in one step of three."""
    game, batch = unconditional(penalty={"kind": "r1", "weight": 2.0}), random_batch(SPEC)
    lazy = unconditional(penalty={"kind": "r1", "weight": 2.0, "every": 3})
    lazy.load_state_dict(game.state_dict())
    always, seldom = (g.losses("discriminator", batch, 0).losses["r1"].item() for g in (game, lazy))
    assert seldom == pytest.approx(3 * always, rel=1e-6)


def test_weights_are_clipped_after_the_critics_step() -> None:
    game = unconditional(loss="wasserstein", clip=0.01)
    run_step(game, random_batch(SPEC), 0, optimizers_of(game, lr=0.1))
    assert max(p.abs().max().item() for p in game.get_submodule("discriminator").parameters()) <= 0.01
    assert max(p.abs().max().item() for p in game.get_submodule("generator").parameters()) > 0.01


def test_generating_draws_no_random_numbers() -> None:
    game, latents = unconditional().eval(), Rows({"z": torch.randn(3, 7)})
    assert torch.equal(game.generate(latents)["image"], game.generate(latents)["image"])


def test_generator_learns_to_convince_a_fixed_critic() -> None:
    """Twenty steps against a discriminator that stays as it is: its logits for fakes rise."""
    torch.manual_seed(0)
    game, batch = unconditional(), random_batch(SPEC, 16)
    optimizer = optimizers_of(game, lr=1e-2)["generator"]
    losses = []
    for step in range(20):
        loss = game.losses("generator", batch, step).total
        torch.autograd.backward(loss, inputs=list(game.get_submodule("generator").parameters()))
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.1
