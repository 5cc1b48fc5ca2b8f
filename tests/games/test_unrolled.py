"""Unrolling: the imagined steps go down the gradient, the generator's gradient runs through them."""

from __future__ import annotations

import pytest
import torch
from playing import moved, random_batch, recipe, snapshot, spec_of

from ganops.errors import SettingsError
from ganops.games.build import build_game
from ganops.games.game import Batch
from ganops.games.unrolled import Unrolled

SPEC = spec_of(1, 8)


def unrolled(steps: int, lr: float) -> Unrolled:
    torch.manual_seed(0)
    section = {"kind": "unrolled", "loss": "minimax", "unroll_steps": steps, "unroll_lr": lr}
    game = build_game(recipe(game=section), SPEC)
    assert isinstance(game, Unrolled)
    return game


@pytest.mark.parametrize("steps", [1, 3])
def test_generator_meets_the_discriminator_of_some_steps_ahead(steps: int) -> None:
    """The negative of the loss after so many real steps on the same images, measured by the first gradients."""
    game, batch = unrolled(steps, 0.01), random_batch(SPEC)
    game.losses("discriminator", batch, 0)
    fakes = game._fakes[0].images.detach()
    before = snapshot(game.discriminator)
    ahead = game.losses("generator", batch, 0).total.item()
    assert not moved(game.discriminator, before)
    weights, sizes = list(game.discriminator.parameters()), []
    for _ in range(steps):
        loss = game.loss.discriminator(game.discriminator(batch.images), game.discriminator(fakes))
        gradients = torch.autograd.grad(loss, weights)
        sizes = sizes or [gradient.square().mean().sqrt() for gradient in gradients]
        for weight, gradient, size in zip(weights, gradients, sizes, strict=True):
            weight.data -= 0.01 * gradient / size
    expected = -game.loss.discriminator(game.discriminator(batch.images), game.discriminator(fakes)).item()
    # The same sums in another order, float32.
    assert ahead == pytest.approx(expected, abs=1e-5)


def test_gradient_runs_through_the_imagined_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against central differences over one weight of the generator, which feels the discriminator's reaction too."""
    game = unrolled(2, 0.05).double()
    batch = Batch(random_batch(SPEC, 8).images.double())
    latents = torch.randn(8, game.latent_dim, dtype=torch.float64)
    weight = game.generator.get_parameter("layers.2.weight")
    # No gradient runs through the sizes that steps are measured by, so differences must not either.
    size = torch.tensor(0.05, dtype=torch.float64)
    monkeypatch.setattr(game, "_remembered_sizes", lambda gradients: [size] * len(gradients))

    def loss() -> torch.Tensor:
        fakes = game.generator(latents)
        game._ahead = game._imagine(batch.images, fakes)
        value = game.generator_loss(batch, game.discriminate(fakes, None), 0)
        game._ahead = None
        return value

    (gradient,) = torch.autograd.grad(loss(), weight)
    (without,) = torch.autograd.grad(
        game.generator_loss(batch, game.discriminate(game.generator(latents), None), 0), weight
    )
    step, values = 1e-3, []
    for sign in (1, -1):
        with torch.no_grad():
            weight[0, 0] += sign * step
        values.append(loss().item())
        with torch.no_grad():
            weight[0, 0] -= sign * step
    # Logits are taken in float32, which leaves 1e-7 / step = 1e-4 in a difference.
    expected = (values[0] - values[1]) / (2 * step)
    assert gradient[0, 0].item() == pytest.approx(expected, abs=2e-4)
    assert abs(without[0, 0].item() - expected) > 4e-4  # the discriminator's reaction is felt


def test_a_gradient_that_vanishes_is_not_blown_up_to_a_step() -> None:
    """A step is measured by the largest gradient lately, and forgets it slowly."""
    game = unrolled(1, 0.1)
    shapes = [weight.shape for weight in game.discriminator.parameters()]
    large, small = ([torch.full(shape, value) for shape in shapes] for value in (2.0, 1e-3))
    assert torch.stack(game._remembered_sizes(large)).tolist() == pytest.approx([2.0] * len(shapes))
    # 0.999 of the square is remembered, which takes 0.05 % off the root.
    assert torch.stack(game._remembered_sizes(small)).tolist() == pytest.approx([2.0 * 0.999**0.5] * len(shapes))
    assert torch.stack(game._remembered_sizes(large)).tolist() == pytest.approx([2.0] * len(shapes))


def test_refuses_to_play_for_a_share_of_the_images() -> None:
    """Top-k would have the two sides play for different values."""
    section = {"kind": "unrolled", "loss": "minimax", "top_k": {}}
    with pytest.raises(SettingsError) as caught:
        build_game(recipe(game=section), SPEC)
    assert "no top_k" in caught.value.expected
