"""How many threads scores are computed with."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch

SMALL = 512  # features; below, threads wait for each other longer than they work, above all if other stages run


@contextmanager
def threads_for(dim: int) -> Generator[None]:
    """Compute with one thread inside the block where features (n, dim) are small, else with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if dim <= SMALL else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
