"""The plain game: whose weights move in whose turn, what is reported, clipping and lazy penalties."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from playing import moved, optimizers_of, random_batch, recipe, run_step, snapshot, spec_of

from ganops.games.build import build_game
from ganops.games.game import Batch, Game, Request
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


def test_generator_plays_with_the_fakes_its_opponent_has_just_seen() -> None:
    """Each part of a round with its own; a second turn in the same round makes new ones."""
    game, batches = unconditional(loss="wasserstein"), [Batch(torch.rand(4, 1, 28, 28), part=part) for part in (0, 1)]
    seen = [game.losses("discriminator", batch, 0).logs["D(G(z))"].item() for batch in batches]
    assert seen[0] != seen[1]
    for batch, score in zip(batches, seen, strict=True):
        assert game.losses("generator", batch, 0).total.item() == pytest.approx(-score, abs=1e-6)
    assert game.losses("generator", batches[0], 0).total.item() != pytest.approx(-seen[0], abs=1e-6)


def test_scores_are_reported_without_a_graph() -> None:
    turns = run_step(game := unconditional(), random_batch(SPEC), 0, optimizers_of(game))
    observed = turns["discriminator"].logs
    assert {"D(x)", "D(G(z))"} <= set(observed)
    assert not any(value.requires_grad for value in observed.values())


@pytest.mark.parametrize("kind", ["gradient-penalty", "r1", "dragan"])
def test_penalty_is_a_term_of_its_own_in_every_so_manieth_round(kind: str) -> None:
    game = unconditional(penalty={"kind": kind, "weight": 2.0, "every": 3})
    paid = [kind in game.losses("discriminator", random_batch(SPEC), step).losses for step in range(7)]
    assert paid == [True, False, False, True, False, False, True]


def test_a_lazy_penalty_weighs_as_much_on_average() -> None:
    """R1 draws no random numbers, so the same discriminator pays three times as much in one round of three."""
    game, batch = unconditional(penalty={"kind": "r1", "weight": 2.0}), random_batch(SPEC)
    lazy = unconditional(penalty={"kind": "r1", "weight": 2.0, "every": 3})
    lazy.load_state_dict(game.state_dict())
    always, seldom = (g.losses("discriminator", batch, 0).losses["r1"].item() for g in (game, lazy))
    assert seldom == pytest.approx(3 * always, rel=1e-6)


def test_weights_are_clipped_after_the_critics_turn() -> None:
    game = unconditional(loss="wasserstein", clip=0.01)
    run_step(game, random_batch(SPEC), 0, optimizers_of(game, lr=0.1))
    assert max(p.abs().max().item() for p in game.get_submodule("discriminator").parameters()) <= 0.01
    assert max(p.abs().max().item() for p in game.get_submodule("generator").parameters()) > 0.01


def test_generating_draws_no_random_numbers() -> None:
    game, latents = unconditional().eval(), torch.randn(3, 7)
    assert torch.equal(game.generate(Request(latents)), game.generate(Request(latents)))


def test_generator_learns_to_please_a_fixed_critic() -> None:
    """Twenty steps against a discriminator that stays as it is: its opinion of the fakes rises."""
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
