"""Classes as vectors with a single one."""

from __future__ import annotations

import torch
from torch import Tensor


def one_hot(classes: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """(N,) int64 classes below `count` as (N, count) of `dtype`.

    torch's own reads them back to check them, and for that a recorded round would have to wait.
    """
    return (classes[:, None] == torch.arange(count, device=classes.device)).to(dtype)
