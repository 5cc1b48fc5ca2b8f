"""A latent mixture draws its components alike and is made of what it has learnt."""

from __future__ import annotations

import pytest
import torch
from playing import spec_of

from ganops.networks.latent_mixture import LatentMixture
from ganops.networks.mlp import MlpGenerator, MlpGeneratorSettings


def test_a_point_is_its_components_mean_and_spread_times_the_rest_of_the_latent() -> None:
    made = LatentMixture(components=3, dim=2, sigma=0.1)
    with torch.no_grad():
        made.means.copy_(torch.tensor([[0.0, 0.0], [1.0, 2.0], [5.0, 5.0]]))
        made.log_sigmas[0] = 0.0  # another component's
    (point,) = made(torch.tensor([[-1.0, 0.3, 0.2, 4.0, -1.0]])).tolist()
    assert point == pytest.approx([1.0 + 0.1 * 4.0, 2.0 - 0.1])


def test_means_and_sigmas_are_learnt_by_the_components_that_were_drawn() -> None:
    """A component that is pulled to a Gaussian's points takes its place and width: here by least squares of moments."""
    torch.manual_seed(0)
    made = LatentMixture(components=2, dim=1, sigma=0.05)
    means, sigmas = torch.tensor([[-1.0], [2.0]]), torch.tensor([[0.01], [0.3]])
    optimizer = torch.optim.Adam(made.parameters(), lr=0.02)
    latents = torch.randn(512, 3)
    component = latents[:, :2].argmax(dim=1)
    wanted = means[component] + sigmas[component] * latents[:, 2:]
    for _ in range(400):
        (made(latents) - wanted).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    # The narrow one's width counts for little in the sum of squares, hence the wide tolerance.
    assert made.means.flatten().tolist() == pytest.approx([-1.0, 2.0], abs=0.01)
    assert made.log_sigmas.exp().flatten().tolist() == pytest.approx([0.01, 0.3], abs=0.01)


def test_components_are_equally_likely_under_normal_latents() -> None:
    torch.manual_seed(0)
    made = LatentMixture(components=8, dim=1, sigma=0.02)
    with torch.no_grad():
        made.means.copy_(torch.arange(8.0)[:, None])
    counts = made(torch.randn(8000, 9)).flatten().round().long().bincount(minlength=8)
    assert counts.tolist() == pytest.approx([1000] * 8, rel=0.1)  # a standard deviation is 3 %


def test_a_generator_with_components_asks_for_longer_latents() -> None:
    plain, mixed = (
        MlpGenerator(MlpGeneratorSettings(latent_dim=2, widths=(8,), components=count), spec_of(1, 8))
        for count in (0, 5)
    )
    assert (plain.latent_dim, mixed.latent_dim) == (2, 7)
    assert mixed(torch.randn(3, 7)).shape == (3, 1, 8, 8)
