"""Penalties on the gradient of a discriminator with respect to its input images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Discriminator = Callable[[Tensor], Tensor]


def input_gradients(discriminator: Discriminator, images: Tensor) -> Tensor:
    """Gradient of each image's own logit by that image, (N, D) float32, itself differentiable."""
    images = images.detach().requires_grad_(True)
    (gradients,) = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    return gradients.flatten(1).float()


def gradient_penalty(discriminator: Discriminator, real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Mean of (|grad D(x^)| - 1)^2 at x^ = share * x + (1 - share) * G(z) (Gulrajani et al. 2017, arXiv:1704.00028).

    real, fake: (N, C, H, W). share: (N, 1, 1, 1) in [0, 1], uniform.
    """
    between = fake.detach().lerp(real, share)
    return _distance_to_unit_norm(input_gradients(discriminator, between))


def zero_centred_penalty(discriminator: Discriminator, images: Tensor) -> Tensor:
    """Mean of 1/2 |grad D(x)|^2: R1 on real images, R2 on generated ones (Mescheder et al. 2018, arXiv:1801.04406)."""
    squared: Tensor = input_gradients(discriminator, images).square().sum(dim=1)
    return 0.5 * squared.mean()


def dragan_penalty(discriminator: Discriminator, real: Tensor, noise: Tensor) -> Tensor:
    """Mean of (|grad D(x + n)| - 1)^2 around the data only (Kodali et al. 2017, arXiv:1705.07215).

    noise: (N, C, H, W) uniform in [0, 1); it is scaled by half the standard deviation of the batch, as the authors do.
    """
    return _distance_to_unit_norm(input_gradients(discriminator, real + 0.5 * real.std() * noise))


def _distance_to_unit_norm(gradients: Tensor) -> Tensor:
    norms: Tensor = gradients.norm(dim=1)
    return (norms - 1).square().mean()
