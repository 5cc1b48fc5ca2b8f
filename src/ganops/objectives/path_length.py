"""Path lengths: how far an image moves for a step in style space (Karras et al. 2019, arXiv:1912.04958)."""

from __future__ import annotations

import torch
from torch import Tensor


def path_lengths(images: Tensor, styles: Tensor, noise: Tensor) -> Tensor:
    """(N,) norms of J^T y (section 3.2) for images y made from styles, itself differentiable.

    images: (N, C, H, W) with a graph back to styles (N, L, D), one style per layer.
    noise: (N, C, H, W) float32, standard normal; it is divided by sqrt(H W) so that lengths do not depend on the size.
    """
    height, width = images.shape[2:]
    scaled = noise / (height * width) ** 0.5
    (gradients,) = torch.autograd.grad((images * scaled).sum(), styles, create_graph=True)
    lengths: Tensor = gradients.square().sum(dim=2).mean(dim=1).sqrt()
    return lengths


def path_length_penalty(lengths: Tensor, mean: Tensor) -> Tensor:
    """Mean of (length - a)^2, a the moving mean of lengths (equation 4)."""
    return (lengths - mean).square().mean()
