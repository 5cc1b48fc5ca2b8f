"""Full float32 on every device: what scores are measured with, generation included."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch


@contextmanager
def full_float32() -> Generator[None]:
    """Keep TensorFloat-32 out of the block, and cuDNN in it.

    TensorFloat-32 keeps 10 bits of the mantissa: scores would depend on the kind of GPU, and a path length, which looks
    at steps of 1e-4, would measure rounding. cudnn.flags switches cuDNN off unless `enabled` is given.
    """
    matmul = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = matmul
