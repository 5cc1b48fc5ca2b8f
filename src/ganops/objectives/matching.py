"""Feature matching: outputs look to a discriminator's layers as the truth does."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

LAYERS = 4  # of each discriminator in the papers, whose sum over layers this is for any other number, too


def feature_matching(maps: Sequence[tuple[Sequence[Tensor], Sequence[Tensor]]]) -> Tensor:
    """Mean absolute difference of maps, summed over layers, averaged over discriminators (arXiv:1711.11585, eq. 4).

    maps: for each discriminator those of outputs and those of the truth, to which no gradient flows. The sum counts as
    that of four layers, as in the authors' code.
    """
    return LAYERS * torch.stack([_distance(ours, theirs) for ours, theirs in maps]).mean()


def _distance(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> Tensor:
    pairs = zip(ours, theirs, strict=True)
    return torch.stack([F.l1_loss(one.float(), other.detach().float()) for one, other in pairs]).mean()
