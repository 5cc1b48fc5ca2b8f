"""The terms of the evidence lower bound against torch's own distributions."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from ganops.objectives.variational import gaussian_constant, gaussian_kl, gaussian_reconstruction


def test_kl_is_that_of_torch_summed_over_latents_and_averaged_over_rows() -> None:
    torch.manual_seed(0)
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(dim=1).mean()
    assert gaussian_kl(mean, log_variance).item() == pytest.approx(expected.item(), rel=1e-5)
    assert gaussian_kl(torch.zeros(2, 3), torch.zeros(2, 3)).item() == 0


@pytest.mark.parametrize("shape", [(4, 2), (4, 1, 5, 5)])
def test_reconstruction_and_its_constant_are_the_negative_log_likelihood(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    rows, again = torch.randn(shape), torch.randn(shape)
    expected = -Normal(again, 0.3).log_prob(rows).flatten(1).sum(dim=1).mean()
    found = gaussian_reconstruction(rows, again, 0.3) + gaussian_constant(rows[0].numel(), 0.3)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
