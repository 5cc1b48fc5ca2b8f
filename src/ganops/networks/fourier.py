"""Random Fourier features: coordinates as waves of many lengths, so that a network can learn fine detail of them.

Tancik et al. 2020, arXiv:2006.10739: on a few coordinates a fully connected network learns slow variation first and
hardly any fine detail; with such features it learns both. Differs: equally many waves in each octave instead of normal
frequencies, whose single scale would have to match the data's detail.
"""

from __future__ import annotations

from math import log, pi

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import normalize

from ganops.settings import Settings


class FourierSettings(Settings):
    """count: number of waves. slowest, fastest: range of their frequencies, in waves per unit of the input."""

    count: int = Field(default=48, ge=1)
    slowest: float = Field(default=0.25, gt=0)
    fastest: float = Field(gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> FourierSettings:
        if self.fastest < self.slowest:
            raise ValueError(f"fastest: must be at least slowest ({self.slowest})")
        return self


class FourierFeatures(nn.Module):
    """(N, D) to (N, D + 2 count): the input, then sine and cosine of 2 pi B x.

    The rows of B are fixed: their directions uniform, the logarithms of their lengths too.
    """

    frequencies: Tensor

    def __init__(self, settings: FourierSettings, inputs: int) -> None:
        super().__init__()
        self.size = inputs + 2 * settings.count
        lengths = torch.empty(settings.count, 1).uniform_(log(settings.slowest), log(settings.fastest)).exp()
        self.register_buffer("frequencies", lengths * normalize(torch.randn(settings.count, inputs)))

    def forward(self, points: Tensor) -> Tensor:
        """The features of each point; phases are computed in float32 under autocast too."""
        phases = 2 * pi * (points.float()[:, None] * self.frequencies).sum(dim=2)
        return torch.cat((points, phases.sin(), phases.cos()), dim=1)
