"""The projection head of CUT: feature vectors of single places to unit vectors (arXiv:2007.15651, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INITIAL_GAIN = 0.02  # of the authors' Xavier-normal weights


class PatchProjection(nn.Module):
    """For each of several feature maps: two layers with a ReLU in between, then unit length."""

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(count, width), nn.ReLU(), nn.Linear(width, width)) for count in channels
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight, INITIAL_GAIN)
                nn.init.zeros_(module.bias)

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """(N, C, H, W) maps and for each (S,) places, counted row by row, to (N, S, width) unit vectors."""
        found = []
        for head, features, chosen in zip(self.heads, maps, places, strict=True):
            vectors = features.permute(0, 2, 3, 1).flatten(1, 2).index_select(1, chosen)
            found.append(F.normalize(head(vectors).float(), dim=2))
        return found


def random_places(maps: Sequence[Tensor], most: int) -> list[Tensor]:
    """For each of the maps (S,) different places, at most `most`, the same for all images of the batch."""
    return [torch.rand(each[0, 0].numel(), device=each.device).argsort()[:most] for each in maps]
