"""A Gaussian mixture that is fitted to a stream of points while their distribution still moves: online EM."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

STEP = 0.01  # weight of the newest points in each statistic: those of the last few hundred updates count
PRIOR = 1e-4  # weight of one standard normal component's statistics in each component, so that none can degenerate
LEAST_VARIANCE = 1e-4


class OnlineMixture(nn.Module):
    """K Gaussians with full covariances over D dimensions, fitted by stepwise EM (Cappé & Moulines 2009, 0712.4273).

    The buffers are the running sufficient statistics, from which weights, means and covariances follow. Averages of
    statistics are statistics again: a moving average of the buffers, or their mean over processes, is a mixture too.
    """

    shares: Tensor
    sums: Tensor
    products: Tensor

    def __init__(self, components: int, dim: int) -> None:
        super().__init__()
        means = torch.randn(components, dim)
        self.register_buffer("shares", torch.full((components,), 1 / components))
        self.register_buffer("sums", means / components)
        self.register_buffer("products", (torch.eye(dim) + means[:, :, None] * means[:, None]) / components)

    def parameters_of_components(self) -> tuple[Tensor, Tensor, Tensor]:
        """(K,) weights, (K, D) means and (K, D, D) Cholesky factors of the covariances."""
        identity = torch.eye(self.sums.shape[1], device=self.sums.device)
        shares = self.shares + PRIOR
        means = self.sums / shares[:, None]
        products = (self.products + PRIOR * identity) / shares[:, None, None]
        covariances = products - means[:, :, None] * means[:, None] + LEAST_VARIANCE * identity
        # Without the check, for which a captured step would have to wait.
        return shares / shares.sum(), means, torch.linalg.cholesky_ex(covariances).L

    @torch.no_grad()
    def update(self, points: Tensor) -> None:
        """One step of EM with (N, D) points: their responsibilities, then a step of the statistics towards theirs."""
        with torch.autocast(points.device.type, enabled=False):
            points = points.float()
            shares = self.responsibilities(points)
            products = torch.einsum("nk,nd,ne->kde", shares, points, points) / len(points)
            self.shares.lerp_(shares.mean(dim=0), STEP)
            self.sums.lerp_(shares.T @ points / len(points), STEP)
            self.products.lerp_(products, STEP)

    def responsibilities(self, points: Tensor) -> Tensor:
        """(N, K): the probability that each component generated each of (N, D) float32 points."""
        weights, means, factors = self.parameters_of_components()
        centred = (points - means[:, None]).transpose(1, 2)  # (K, D, N)
        standard = torch.linalg.solve_triangular(factors, centred, upper=False)
        log_volumes = factors.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        logits = weights.log()[:, None] - log_volumes[:, None] - 0.5 * standard.square().sum(dim=1)
        responsibilities: Tensor = logits.softmax(dim=0).T
        return responsibilities

    def forward(self, noise: Tensor, choice: Tensor) -> Tensor:
        """Standard normal (N, D) noise and (N, 1) choices to (N, D) points; a choice's quantile picks the component."""
        with torch.autocast(noise.device.type, enabled=False):
            weights, means, factors = self.parameters_of_components()
            quantiles = 0.5 * (1 + torch.erf(choice.float() / math.sqrt(2)))
            component = (quantiles > weights.cumsum(dim=0)[:-1]).sum(dim=1)
            points: Tensor = means[component] + (factors[component] @ noise.float()[:, :, None]).squeeze(2)
            return points
