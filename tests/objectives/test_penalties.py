"""Penalties on discriminators whose gradients are known in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganops.objectives.penalties import dragan_penalty, gradient_penalty, input_gradients, zero_centred_penalty

WEIGHTS = torch.tensor([0.5, -1.0, 2.0, 1.0]).view(1, 1, 2, 2)  # norm 2.5
CLOSE = 1e-6  # float32 sums of four numbers


def linear(images: Tensor) -> Tensor:
    """D(x) = <w, x>: its gradient is w everywhere."""
    return (images * WEIGHTS).flatten(1).sum(dim=1)


def quadratic(images: Tensor) -> Tensor:
    """D(x) = 1/2 |x|^2: its gradient is x itself."""
    return 0.5 * images.square().flatten(1).sum(dim=1)


def test_gradients_are_those_of_each_image_alone() -> None:
    images = torch.randn(5, 1, 2, 2)
    torch.testing.assert_close(input_gradients(quadratic, images), images.flatten(1))


def test_gradient_penalty_of_a_linear_critic_is_its_norms_distance_to_one() -> None:
    real, fake = torch.randn(3, 1, 2, 2), torch.randn(3, 1, 2, 2)
    value = gradient_penalty(linear, real, fake, torch.rand(3, 1, 1, 1))
    assert value.item() == pytest.approx((2.5 - 1) ** 2, abs=CLOSE)


def test_gradient_penalty_is_taken_between_real_and_fake() -> None:
    """With D's gradient x itself, a share s of real 2 and fake 0 over four pixels has the norm 4 s."""
    real, fake = torch.full((2, 1, 2, 2), 2.0), torch.zeros(2, 1, 2, 2)
    share = torch.tensor([0.25, 1.0]).view(2, 1, 1, 1)
    value = gradient_penalty(quadratic, real, fake, share)
    assert value.item() == pytest.approx(((1.0 - 1) ** 2 + (4.0 - 1) ** 2) / 2, abs=CLOSE)


def test_r1_is_half_the_squared_norm() -> None:
    assert zero_centred_penalty(linear, torch.randn(3, 1, 2, 2)).item() == pytest.approx(0.5 * 6.25, abs=CLOSE)
    images = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(1, 1, 2, 2)
    assert zero_centred_penalty(quadratic, images).item() == pytest.approx(15.0, abs=CLOSE)


def test_dragan_moves_the_data_by_up_to_half_their_spread() -> None:
    real = torch.tensor([0.0, 2.0, 0.0, 2.0]).view(1, 1, 2, 2)
    spread = real.std()  # sqrt(4 / 3), with n - 1 as the authors' code has it
    noise, share = torch.full_like(real, 0.5), torch.full((1, 1, 1, 1), 0.25)
    moved = real + 0.25 * 0.5 * spread * 0.5
    expected = (moved.norm() - 1) ** 2
    assert dragan_penalty(quadratic, real, noise, share).item() == pytest.approx(expected.item(), abs=CLOSE)
    assert dragan_penalty(linear, real, noise, share).item() == pytest.approx(2.25, abs=CLOSE)


def test_penalties_can_be_minimised() -> None:
    """Their gradient reaches the discriminator's weights: |w| falls towards 1 (gradient penalty) and to 0 (R1)."""
    real, fake, share = torch.randn(3, 1, 2, 2), torch.randn(3, 1, 2, 2), torch.rand(3, 1, 1, 1)
    weight = WEIGHTS.clone().requires_grad_()

    def critic(images: Tensor) -> Tensor:
        return (images * weight).flatten(1).sum(dim=1)

    (towards_one,) = torch.autograd.grad(gradient_penalty(critic, real, fake, share), weight)
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|
    torch.testing.assert_close(towards_one, 2 * 1.5 * WEIGHTS / 2.5)
    (towards_zero,) = torch.autograd.grad(zero_centred_penalty(critic, real), weight)
    torch.testing.assert_close(towards_zero, WEIGHTS)


def test_penalties_do_not_change_the_images() -> None:
    real = torch.randn(2, 1, 2, 2)
    before = real.clone()
    dragan_penalty(linear, real, torch.rand_like(real), torch.rand(2, 1, 1, 1))
    zero_centred_penalty(linear, real)
    assert torch.equal(real, before)
    assert not real.requires_grad
