"""The two terms of a variational auto-encoder's loss (Kingma & Welling 2013, arXiv:1312.6114)."""

from __future__ import annotations

import math

from torch import Tensor


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, I)) in nats, summed over the latents, averaged over the rows (appendix B).

    mean, log_variance: (N, D).
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()


def gaussian_reconstruction(rows: Tensor, reconstructed: Tensor, sigma: float) -> Tensor:
    """|x - x'|^2 / (2 sigma^2), summed over the values of a row, averaged over the rows.

    This is -log N(x; x', sigma^2 I) in nats without `gaussian_constant`.
    """
    squared: Tensor = (rows - reconstructed).square().flatten(1).sum(dim=1).mean()
    return squared / (2 * sigma**2)


def gaussian_constant(size: int, sigma: float) -> float:
    """What -log N(x; x', sigma^2 I) has in addition to `gaussian_reconstruction` for rows of `size` values, in nats."""
    return 0.5 * size * math.log(2 * math.pi * sigma**2)
