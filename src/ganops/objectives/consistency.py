"""Consistency regularisation: equal logits for an image and for its augmented form."""

from __future__ import annotations

from torch import Tensor


def consistency(logits: Tensor, moved: Tensor) -> Tensor:
    """Mean of (D(x) - D(T(x)))^2, both (N,) (balanced consistency, Zhao et al. 2020, arXiv:2002.04724, algorithm 1)."""
    return (logits - moved).square().mean()
