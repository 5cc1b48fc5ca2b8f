"""One-hot vectors."""

from __future__ import annotations

import torch
from torch import Tensor


def one_hot(classes: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """(N,) int64 classes below `count` as (N, count) of `dtype`.

    torch's own one_hot reads the classes back to check them, for which a captured step would have to wait.
    """
    return (classes[:, None] == torch.arange(count, device=classes.device)).to(dtype)
