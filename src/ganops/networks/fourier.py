"""Random Fourier features: coordinates as waves of many lengths, so that a network can learn fine detail of them.

Tancik et al. 2020, arXiv:2006.10739: on a few coordinates a fully connected network learns slow variation first and
fine detail hardly ever; behind such features it learns both.
"""

from __future__ import annotations

from math import pi

import torch
from pydantic import Field
from torch import Tensor, nn

from ganops.settings import Settings


class FourierSettings(Settings):
    """count: how many waves. scale: standard deviation of their frequencies, in waves per unit of the input."""

    count: int = Field(default=64, ge=1)
    scale: float = Field(gt=0)


class FourierFeatures(nn.Module):
    """(N, D) to (N, D + 2 count): the input, then sine and cosine of 2 pi B x, B normal and fixed."""

    frequencies: Tensor

    def __init__(self, settings: FourierSettings, inputs: int) -> None:
        super().__init__()
        self.size = inputs + 2 * settings.count
        self.register_buffer("frequencies", settings.scale * torch.randn(settings.count, inputs))

    def forward(self, points: Tensor) -> Tensor:
        """The features of each point; its phases are computed in float32 whatever the autocast says."""
        phases = 2 * pi * (points.float()[:, None] * self.frequencies).sum(dim=2)
        return torch.cat((points, phases.sin(), phases.cos()), dim=1)
