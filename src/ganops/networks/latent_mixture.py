"""A mixture of Gaussians as latent space, so that a generator need not stretch between separate modes.

DeLiGAN (Gurumurthy et al. 2017, arXiv:1706.02071): a component k is drawn, then z = mu_k + sigma_k eta with learned
mu_k and sigma_k. Differs: the component is the largest of K normal numbers, all equally likely, so that callers
still draw a normal vector; and sigma_k is learned as its logarithm, which cannot become negative, without the authors'
penalty against sigmas that fall to zero.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn


class LatentMixture(nn.Module):
    """(N, K + D) standard normal to (N, D): the first K choose a component, the last D are its eta.

    sigma: initial standard deviation of each component; initial means are uniform in [-1, 1].
    """

    def __init__(self, components: int, dim: int, sigma: float) -> None:
        super().__init__()
        self.components = components
        self.means = nn.Parameter(torch.rand(components, dim) * 2 - 1)
        self.log_sigmas = nn.Parameter(torch.full((components, 1), log(sigma)))

    def forward(self, latents: Tensor) -> Tensor:
        """One point of the mixture for each latent."""
        choice, eta = latents.tensor_split([self.components], dim=1)
        component = choice.argmax(dim=1)
        return self.means[component] + self.log_sigmas[component].exp() * eta
