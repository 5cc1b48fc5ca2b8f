"""How networks take the class of an image."""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn

from ganops.networks.one_hot import one_hot

Condition = Literal["none", "one-hot", "embedding"]


class LabelVector(nn.Module):
    """Labels as vectors that are joined to a latent: one-hot (Mirza & Osindero 2014, arXiv:1411.1784) or learned.

    size: length of the vector; the one-hot vector is as long as there are classes.
    """

    def __init__(self, condition: Condition, class_count: int, embedding_dim: int) -> None:
        super().__init__()
        self.class_count = class_count
        self.embedding = nn.Embedding(class_count, embedding_dim) if condition == "embedding" else None
        self.size = {"none": 0, "one-hot": class_count, "embedding": embedding_dim}[condition]

    def forward(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        """(N, D) latents joined with their labels, (N, D + size)."""
        if self.size == 0 or labels is None:
            return latents
        known = one_hot(labels, self.class_count, latents.dtype) if self.embedding is None else self.embedding(labels)
        return torch.cat((latents, known), dim=1)


class LabelPlanes(nn.Module):
    """Labels as additional channels of an image: one constant plane per class, or one learned plane.

    size: number of planes.
    """

    def __init__(self, condition: Condition, class_count: int, image_size: int) -> None:
        super().__init__()
        self.class_count = class_count
        self.embedding = nn.Embedding(class_count, image_size**2) if condition == "embedding" else None
        self.size = {"none": 0, "one-hot": class_count, "embedding": 1}[condition]

    def forward(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """(N, C, H, W) images with their label planes, (N, C + size, H, W)."""
        if self.size == 0 or labels is None:
            return images
        height, width = images.shape[2:]
        if self.embedding is not None:
            planes = self.embedding(labels).view(-1, 1, height, width)
        else:
            known = one_hot(labels, self.class_count, images.dtype)
            planes = known[:, :, None, None].expand(-1, -1, height, width)
        return torch.cat((images, planes), dim=1)


class ConditionalBatchNorm2d(nn.Module):
    """Batch norm whose gain and bias are linear in a condition (Dumoulin et al. 2016, arXiv:1610.07629).

    With a one-hot label as the condition this is a gain and a bias for each class.
    gain, bias: (N, condition) to (N, C); the gain is centred on 1.
    """

    def __init__(self, channels: int, gain: nn.Module, bias: nn.Module) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain, self.bias = gain, bias

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        """(N, C, H, W) images normalised, then scaled and shifted by the condition."""
        gain, bias = cast(Tensor, self.gain(condition)), cast(Tensor, self.bias(condition))
        normed: Tensor = self.norm(images)
        return normed * (1 + gain)[:, :, None, None] + bias[:, :, None, None]
