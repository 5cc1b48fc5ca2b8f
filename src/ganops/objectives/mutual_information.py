"""The lower bound on mutual information between codes and images (Chen et al. 2016, arXiv:1606.03657, equation 4)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def categorical_information(logits: Tensor, codes: Tensor) -> Tensor:
    """Mean of log Q(c|x) + H(c) for a uniform categorical code, in nats: log K at best, 0 for a Q that ignores x.

    logits: (N, K). codes: (N, K) one-hot.
    """
    return math.log(logits.shape[1]) - F.cross_entropy(logits, codes)


def uniform_information(mean: Tensor, log_deviation: Tensor, codes: Tensor) -> Tensor:
    """Mean of log Q(c|x) + H(c) for codes uniform in [-1, 1], Q a Gaussian for each, in nats, summed over the codes.

    mean, log_deviation, codes: (N, M).
    """
    standard = (codes - mean) / log_deviation.exp()
    log_likelihood = -0.5 * standard.square() - log_deviation - 0.5 * math.log(2 * math.pi)
    return (log_likelihood + math.log(2)).sum(dim=1).mean()


def split_codes(latents: Tensor, categorical: Sequence[int], continuous: int) -> tuple[list[Tensor], Tensor]:
    """The categorical codes and the continuous ones at the end of latents that are laid out [noise, K1, K2, ..., M]."""
    sizes = [latents.shape[1] - sum(categorical) - continuous, *categorical, continuous]
    _noise, *codes, last = torch.split(latents, sizes, dim=1)
    return codes, last
