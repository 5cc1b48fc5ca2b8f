"""Losses against numbers worked out by hand: real logits 1 and -2, fake logits 0.5 and -1."""

from __future__ import annotations

import pytest
import torch

from ganops.objectives.adversarial import ADVERSARIAL, LossName, one_sided_smoothing, top_share

REAL, FAKE = torch.tensor([1.0, -2.0]), torch.tensor([0.5, -1.0])

# softplus, log(1 + e^x): -1: 0.31326, 2: 2.12693, 0.5: 0.97408, -0.5: 0.47408, 1: 1.31326
BY_HAND: dict[LossName, tuple[float, float]] = {
    "minimax": ((0.31326 + 2.12693) / 2 + (0.97408 + 0.31326) / 2, -(0.97408 + 0.31326) / 2),
    "non-saturating": ((0.31326 + 2.12693) / 2 + (0.97408 + 0.31326) / 2, (0.47408 + 1.31326) / 2),
    "least-squares": (0.5 * (0 + 9) / 2 + 0.5 * (0.25 + 1) / 2, 0.5 * (0.25 + 4) / 2),
    "hinge": ((0 + 3) / 2 + (1.5 + 0) / 2, 0.25),
    "wasserstein": (-0.25 + 0.5, 0.25),
}
CLOSE = 1e-5  # the numbers above are rounded to five places


@pytest.mark.parametrize("name", BY_HAND)
def test_losses_are_those_worked_out_by_hand(name: LossName) -> None:
    discriminator, generator = BY_HAND[name]
    loss = ADVERSARIAL[name]
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(discriminator, abs=CLOSE)
    assert loss.generator(FAKE).item() == pytest.approx(generator, abs=CLOSE)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_a_discriminator_gains_by_telling_apart_and_a_generator_by_fooling(name: LossName) -> None:
    loss = ADVERSARIAL[name]
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    loss.discriminator(real, fake).backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert (real.grad <= 0).all()
    assert (real.grad < 0).any()
    assert (fake.grad[:1] > 0).all()  # least squares pulls a fake logit below 0 up to 0, so only the one above counts
    fooling = FAKE.clone().requires_grad_()
    loss.generator(fooling).backward()
    assert fooling.grad is not None
    assert (fooling.grad < 0).all()


def test_no_loss_overflows_at_logits_of_a_discriminator_that_is_sure() -> None:
    """exp(1000) is infinite; the losses are written so that it never appears."""
    for loss in ADVERSARIAL.values():
        assert loss.discriminator(torch.tensor([-1000.0]), torch.tensor([1000.0])).isfinite()
        assert loss.generator(torch.tensor([-1000.0])).isfinite()


def test_scores_of_cross_entropy_are_probabilities() -> None:
    assert ADVERSARIAL["non-saturating"].score(torch.tensor([0.0])).item() == pytest.approx(0.5)
    assert ADVERSARIAL["wasserstein"].score(torch.tensor([3.0])).item() == pytest.approx(3.0)


def test_label_smoothing_is_cross_entropy_with_a_softer_label() -> None:
    plain = torch.nn.functional.binary_cross_entropy_with_logits(REAL, torch.full_like(REAL, 1.0))
    smooth = torch.nn.functional.binary_cross_entropy_with_logits(REAL, torch.full_like(REAL, 0.9))
    assert (plain + one_sided_smoothing(REAL, 0.9)).item() == pytest.approx(smooth.item(), abs=1e-6)


def test_top_share_takes_the_largest_logits_and_at_least_one() -> None:
    logits = torch.tensor([0.0, 3.0, -1.0, 2.0])
    assert top_share(logits, 0.5).tolist() == [3.0, 2.0]
    assert top_share(logits, 0.01).tolist() == [3.0]
    assert sorted(top_share(logits, 1.0).tolist()) == sorted(logits.tolist())


def test_relativistic_loss_knows_differences_only() -> None:
    """softplus(-0.5) = 0.47408 and softplus(1) = 1.31326 for fake minus real of -0.5 and 1."""
    loss = ADVERSARIAL["relativistic"]
    assert loss.relativistic
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx((0.47408 + 1.31326) / 2, abs=CLOSE)
    assert loss.generator(FAKE - REAL).item() == pytest.approx((0.97408 + 0.31326) / 2, abs=CLOSE)
    assert loss.discriminator(REAL + 7, FAKE + 7).item() == pytest.approx(loss.discriminator(REAL, FAKE).item())
