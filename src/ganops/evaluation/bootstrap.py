"""The bootstrap, for scores that count classes: they have no derivative, so no influence of a single image."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

RESAMPLES, SEED = 1000, 0  # the spread of 1,000 is known to some 2 %


def resampled(counts: Tensor) -> Tensor:
    """(1000, k) int64: how often each of k classes appears when the images are drawn again from themselves.

    counts: (k,) int64, how many of n images are of each class. Drawing n images with replacement and counting them is
    one draw from a multinomial distribution (Efron 1979, "Bootstrap methods: another look at the jackknife").
    """
    total = int(counts.sum())
    generator = np.random.default_rng(SEED)
    return torch.from_numpy(generator.multinomial(total, (counts.double() / total).numpy(), size=RESAMPLES))
