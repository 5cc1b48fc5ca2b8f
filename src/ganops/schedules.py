"""How a setting moves from its first to its last value while a model trains."""

from __future__ import annotations

import math
from typing import Literal

Curve = Literal["linear", "cosine", "geometric"]


def between(first: float, last: float, progress: float, curve: Curve) -> float:
    """The value at `progress`, which is held within 0 (the first value) and 1 (the last).

    geometric: by the same factor in equal times; both values above 0.
    """
    progress = min(max(progress, 0.0), 1.0)
    if curve == "geometric":
        share: float = (last / first) ** progress
        return first * share
    if curve == "cosine":
        progress = 0.5 * (1 - math.cos(math.pi * progress))
    return first + (last - first) * progress
