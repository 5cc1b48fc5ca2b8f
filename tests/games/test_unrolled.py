"""Unrolling: the steps ahead follow the gradient, and the generator's gradient runs through them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from playing import moved, random_batch, recipe, snapshot, spec_of
from torch import Tensor

from ganops.errors import SettingsError
from ganops.games.build import build_game
from ganops.games.unrolled import Unrolled, look_ahead

SPEC = spec_of(1, 8)


def unrolled(steps: int, lr: float) -> Unrolled:
    torch.manual_seed(0)
    section = {"kind": "unrolled", "loss": "minimax", "unroll_steps": steps, "unroll_lr": lr}
    game = build_game(recipe(game=section), SPEC)
    assert isinstance(game, Unrolled)
    return game


@pytest.mark.parametrize("steps", [1, 3])
def test_generator_meets_the_discriminator_of_some_steps_ahead(steps: int) -> None:
    """The negative of the loss after as many real steps on the same images, measured by the first gradients."""
    game, batch = unrolled(steps, 0.01), random_batch(SPEC)
    fakes: list[Tensor] = []
    game.generator.register_forward_hook(lambda _module, _inputs, output: fakes.append(output.detach()))
    game.losses("discriminator", batch, 0)
    before = snapshot(game.discriminator)
    ahead = game.losses("generator", batch, 0).total.item()
    assert not moved(game.discriminator, before)

    def value() -> Tensor:
        return game.loss.discriminator(game.discriminator(batch["image"]), game.discriminator(fakes[0]))

    weights, sizes = list(game.discriminator.parameters()), []
    for _ in range(steps):
        gradients = torch.autograd.grad(value(), weights)
        sizes = sizes or [gradient.square().mean().sqrt() for gradient in gradients]
        for weight, gradient, size in zip(weights, gradients, sizes, strict=True):
            weight.data -= 0.01 * gradient / size
    # The same sums in another order, float32.
    assert ahead == pytest.approx(-value().item(), abs=1e-5)


def test_gradient_runs_through_the_steps_ahead() -> None:
    """v(w, g) = (w - g)^2 from w = 0: each step shrinks the distance by 1 - 2 lr, so v = g^2 (1 - 2 lr)^(2 n)."""
    start = {"w": torch.zeros((), dtype=torch.float64)}
    fake = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)

    def value(weights: Mapping[str, Tensor]) -> Tensor:
        return (weights["w"] - fake).square()

    for steps in (1, 2):
        ahead = look_ahead(value, start, steps, 0.1, lambda gradients: [torch.ones_like(g) for g in gradients])
        (gradient,) = torch.autograd.grad(value(ahead), fake)
        assert gradient.item() == pytest.approx(2 * 3.0 * (1 - 2 * 0.1) ** (2 * steps))
    assert start["w"].item() == 0


def test_a_vanishing_gradient_does_not_become_a_full_step() -> None:
    """A step is measured by the largest gradient lately, which is forgotten slowly."""
    game = unrolled(1, 0.1)
    shapes = [weight.shape for weight in game.discriminator.parameters()]
    large, small = ([torch.full(shape, value) for shape in shapes] for value in (2.0, 1e-3))
    assert torch.stack(game.gradient_sizes(large)).tolist() == pytest.approx([2.0] * len(shapes))
    # 0.999 of the square is remembered, which takes 0.05 % off the root.
    assert torch.stack(game.gradient_sizes(small)).tolist() == pytest.approx([2.0 * 0.999**0.5] * len(shapes))
    assert torch.stack(game.gradient_sizes(large)).tolist() == pytest.approx([2.0] * len(shapes))


def test_top_k_is_refused() -> None:
    """It would have the two players play for different values."""
    section = {"kind": "unrolled", "loss": "minimax", "top_k": {}}
    with pytest.raises(SettingsError) as caught:
        build_game(recipe(game=section), SPEC)
    assert "top_k" in caught.value.expected
