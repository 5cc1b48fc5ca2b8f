"""The identity of prepared data: equal for two models that were trained or scored on the same rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ganops.data.packed import SPLITS, Split, rows_per_piece


def digest(splits: Mapping[Split, Mapping[str, Tensor]]) -> str:
    """sha256 over the columns of both splits: name, type, shape and content, in the order of the rows."""
    total = hashlib.sha256()
    for split in SPLITS:
        for name, column in sorted(splits[split].items()):
            total.update(f"{split} {name} {column.dtype} {tuple(column.shape)}\n".encode())
            for piece in torch.split(column, rows_per_piece(column[:1].nbytes)):
                total.update(piece.contiguous().numpy().reshape(-1).view(np.uint8).data)
    return total.hexdigest()
