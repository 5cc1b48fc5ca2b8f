"""Layers that show a discriminator how much the images of a batch differ, so that lost variety is penalised."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinibatchDeviation(nn.Module):
    """Append one channel: the mean standard deviation within a group of images.

    Karras et al. 2017, arXiv:1710.10196, section 3; in groups as in StyleGAN2. Images i, i + N/g, ... form a group.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C + 1, H, W); the group is the largest up to `group` that divides N."""
        count, channels, height, width = maps.shape
        group = next(size for size in range(min(self.group, count), 0, -1) if count % size == 0)
        grouped = maps.float().reshape(group, count // group, channels, height, width)
        # Not torch.var, which takes ten times as long over the first dimension on a CPU.
        variance = (grouped - grouped.mean(dim=0)).square().mean(dim=0)
        deviation = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))
        plane = deviation.repeat(group)[:, None, None, None].expand(-1, 1, height, width)
        return torch.cat((maps, plane.to(maps.dtype)), dim=1)


class MinibatchDiscrimination(nn.Module):
    """Append to an image's features how near it is to all others of the batch.

    Salimans et al. 2016, arXiv:1606.03498, section 3.2.

    kernels: number of learned similarities; dim: number of dimensions in which each is measured.
    """

    def __init__(self, features: int, kernels: int = 16, dim: int = 8) -> None:
        super().__init__()
        self.kernels = kernels
        self.projection = nn.Linear(features, kernels * dim, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(N, F) to (N, F + kernels)."""
        placed = self.projection(features).float().view(len(features), self.kernels, -1)
        nearness = torch.exp(-(placed[:, None] - placed[None]).abs().sum(dim=3))
        others = nearness.sum(dim=1) - 1  # without the image itself
        return torch.cat((features, others.to(features.dtype)), dim=1)
