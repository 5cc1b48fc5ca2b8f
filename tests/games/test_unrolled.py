"""Unrolling: the imagined steps are gradient descent, the generator's gradient runs through them."""

from __future__ import annotations

import pytest
import torch
from playing import moved, random_batch, recipe, snapshot, spec_of

from ganops.games.build import build_game
from ganops.games.unrolled import Unrolled

SPEC = spec_of(1, 8)


def unrolled(steps: int, lr: float) -> Unrolled:
    torch.manual_seed(0)
    section = {"kind": "unrolled", "loss": "non-saturating", "unroll_steps": steps, "unroll_lr": lr}
    game = build_game(recipe(game=section), SPEC)
    assert isinstance(game, Unrolled)
    return game


@pytest.mark.parametrize("steps", [1, 3])
def test_generator_meets_the_discriminator_of_some_steps_ahead(steps: int) -> None:
    """The same loss as after so many real steps of gradient descent on the same images."""
    game, batch = unrolled(steps, 0.1), random_batch(SPEC)
    game.turn("discriminator", batch, 0)
    fakes = game._fakes[0].images.detach()
    before = snapshot(game.discriminator)
    ahead = game.turn("generator", batch, 0).total.item()
    assert not moved(game.discriminator, before)
    optimizer = torch.optim.SGD(game.discriminator.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        game.loss.discriminator(game.discriminator(batch.images), game.discriminator(fakes)).backward()
        optimizer.step()
    expected = game.loss.generator(game.discriminator(fakes)).item()
    assert ahead == pytest.approx(expected, abs=1e-5)


def test_gradient_runs_through_the_imagined_steps() -> None:
    """Against central differences over one weight of the generator, which feels the discriminator's reaction too."""
    game = unrolled(2, 0.5).double()
    batch = random_batch(SPEC, 8)
    images = batch.images.double()
    latents = torch.randn(8, game.latent_dim, dtype=torch.float64)
    weight = game.generator.get_parameter("layers.2.weight")

    def loss() -> torch.Tensor:
        fakes = game.generator(latents)
        game._ahead = game._imagine(images, fakes)
        value = game.loss.generator(torch.func.functional_call(game.discriminator, game._ahead, (fakes,)))
        game._ahead = None
        return value

    (gradient,) = torch.autograd.grad(loss(), weight)
    step, values = 1e-3, []
    for sign in (1, -1):
        with torch.no_grad():
            weight[0, 0] += sign * step
        values.append(loss().item())
        with torch.no_grad():
            weight[0, 0] -= sign * step
    # Logits are taken in float32, which leaves 1e-7 / step = 1e-4 in a difference.
    assert gradient[0, 0].item() == pytest.approx((values[0] - values[1]) / (2 * step), abs=2e-4)
