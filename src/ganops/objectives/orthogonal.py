"""Orthogonal regularisation: filters that point in different directions."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def orthogonal_penalty(weights: Iterable[Tensor]) -> Tensor:
    """Sum over weights of |W W^T (1 - I)|_F^2: the overlap of different filters, their lengths left free.

    weights: (out, ...) each, seen as `out` rows (Brock et al. 2018, arXiv:1809.11096, equation 3).
    Its gradient is 4 (W W^T (1 - I)) W; the authors' code applies 2 (...) W, so their weight of 1e-4 is 5e-5 here.
    """
    overlaps = [(rows := weight.flatten(1)) @ rows.T for weight in weights]
    return torch.stack([(gram - gram.diag().diag()).square().sum() for gram in overlaps]).sum()
