"""The identity of prepared data: what must be equal for two models to have seen, or be scored on, the same images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ganops.data.packed import SPLITS, PackedImages, Split

ROWS_AT_ONCE = 4096


def digest(splits: Mapping[Split, PackedImages]) -> str:
    """sha256 over shape, pixels and labels of both splits, in rows' order."""
    total = hashlib.sha256()
    for split in SPLITS:
        data = splits[split]
        total.update(f"{split} {tuple(data.images.shape)} {'no ' if data.labels is None else ''}labels\n".encode())
        for start in range(0, len(data), ROWS_AT_ONCE):
            total.update(data.images[start : start + ROWS_AT_ONCE].numpy().tobytes())
        if data.labels is not None:
            total.update(data.labels.numpy().astype("<i8").tobytes())
    return total.hexdigest()
