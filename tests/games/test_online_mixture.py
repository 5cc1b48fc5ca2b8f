"""The online mixture finds known Gaussians, follows moving ones, and samples what it has found."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from ganops.games.online_mixture import OnlineMixture

WEIGHTS = torch.tensor([0.7, 0.3])
MEANS = torch.tensor([[-2.0, 0.0], [2.0, 1.0]])
COVARIANCES = torch.tensor([[[1.0, 0.6], [0.6, 0.5]], [[0.1, 0.0], [0.0, 0.4]]])


def points(count: int, shift: float = 0.0) -> Tensor:
    gaussians = MultivariateNormal(MEANS + shift, COVARIANCES)
    drawn: Tensor = MixtureSameFamily(Categorical(WEIGHTS), gaussians).sample(torch.Size([count]))
    return drawn


def fitted(updates: int = 1500, shift: float = 0.0, mixture: OnlineMixture | None = None) -> OnlineMixture:
    mixture = mixture or OnlineMixture(2, 2)
    for _ in range(updates):
        mixture.update(points(64, shift))
    return mixture


def ordered(mixture: OnlineMixture) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, means and covariances, the component on the left first."""
    weights, means, factors = mixture.parameters_of_components()
    order = means[:, 0].argsort()
    return weights[order], means[order], (factors @ factors.transpose(1, 2))[order]


@pytest.fixture(scope="module")
def mixture() -> OnlineMixture:
    torch.manual_seed(0)
    return fitted()


def test_known_gaussians_are_found(mixture: OnlineMixture) -> None:
    """The last 200 updates count, some 12,800 points: standard errors are below 0.02."""
    weights, means, covariances = ordered(mixture)
    torch.testing.assert_close(weights, WEIGHTS, atol=0.05, rtol=0)
    torch.testing.assert_close(means, MEANS, atol=0.1, rtol=0)
    torch.testing.assert_close(covariances, COVARIANCES, atol=0.1, rtol=0)


def test_it_follows_a_distribution_that_moves(mixture: OnlineMixture) -> None:
    torch.manual_seed(1)
    moved = OnlineMixture(2, 2)
    moved.load_state_dict(mixture.state_dict())
    for update in range(1000):
        fitted(1, shift=3.0 * min(1.0, update / 500), mixture=moved)
    torch.testing.assert_close(ordered(moved)[1], MEANS + 3, atol=0.15, rtol=0)


def test_samples_have_the_moments_of_the_points(mixture: OnlineMixture) -> None:
    torch.manual_seed(2)
    drawn, real = mixture(torch.randn(20_000, 2), torch.randn(20_000, 1)), points(20_000)
    torch.testing.assert_close(drawn.mean(dim=0), real.mean(dim=0), atol=0.15, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(real.T), atol=0.25, rtol=0)


def test_a_sample_follows_from_its_latents_alone(mixture: OnlineMixture) -> None:
    noise, choice = torch.randn(6, 2), torch.randn(6, 1)
    assert torch.equal(mixture(noise, choice), mixture(noise, choice))
    # The cheapest quantiles belong to the first component, the highest to the last.
    weights, means, _ = mixture.parameters_of_components()
    extremes = mixture(torch.zeros(2, 2), torch.tensor([[-9.0], [9.0]]))
    torch.testing.assert_close(extremes, means[[0, len(weights) - 1]])


def test_responsibilities_are_those_of_torchs_distributions(mixture: OnlineMixture) -> None:
    weights, means, factors = mixture.parameters_of_components()
    some = points(7)
    log_joint = MultivariateNormal(means, scale_tril=factors).log_prob(some[:, None]) + weights.log()
    torch.testing.assert_close(mixture.responsibilities(some), log_joint.softmax(dim=1), atol=1e-5, rtol=1e-4)


def test_equal_points_and_unused_components_do_not_degenerate() -> None:
    torch.manual_seed(0)
    mixture = OnlineMixture(5, 3)
    for _ in range(3000):
        mixture.update(torch.zeros(8, 3))
    assert all(part.isfinite().all() for part in mixture.parameters_of_components())
    assert mixture(torch.randn(100, 3), torch.randn(100, 1)).abs().max() < 10 * math.sqrt(2)
