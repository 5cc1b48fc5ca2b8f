"""Penalties on the gradient of a discriminator with respect to its input."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]  # (N, ...) rows to (N,) logits


def input_gradients(critic: Critic, rows: Tensor) -> Tensor:
    """Gradient of each row's own logit with respect to that row, (N, D) float32, itself differentiable."""
    rows = rows.detach().requires_grad_(True)
    (gradients,) = torch.autograd.grad(critic(rows).sum(), rows, create_graph=True)
    return gradients.flatten(1).float()


def uniform_per_row(rows: Tensor) -> Tensor:
    """One uniform number in [0, 1) for each of (N, ...) rows, in a shape that broadcasts with them."""
    return torch.rand(len(rows), *[1] * (rows.ndim - 1), device=rows.device, dtype=rows.dtype)


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Mean of (|grad D(x^)| - 1)^2 at x^ = share * x + (1 - share) * G(z) (Gulrajani et al. 2017, arXiv:1704.00028).

    real, fake: (N, ...). share: one uniform number in [0, 1) per row.
    """
    between = fake.detach().lerp(real, share)
    return _distance_to_unit_norm(input_gradients(critic, between))


def zero_centred_penalty(critic: Critic, rows: Tensor) -> Tensor:
    """Mean of 1/2 |grad D(x)|^2: R1 on real rows, R2 on generated ones (Mescheder et al. 2018, arXiv:1801.04406)."""
    squared: Tensor = input_gradients(critic, rows).square().sum(dim=1)
    return 0.5 * squared.mean()


def dragan_penalty(critic: Critic, real: Tensor, noise: Tensor, share: Tensor) -> Tensor:
    """Mean of (|grad D(x + share * n)| - 1)^2 around the data only (Kodali et al. 2017, arXiv:1705.07215).

    noise: as `real`, uniform in [0, 1); n is half the batch's standard deviation times that, as in the authors' code.
    share: one uniform number in [0, 1) per row.
    """
    return _distance_to_unit_norm(input_gradients(critic, real + share * (0.5 * real.std() * noise)))


def _distance_to_unit_norm(gradients: Tensor) -> Tensor:
    norms: Tensor = gradients.norm(dim=1)
    return (norms - 1).square().mean()
