"""Nearest neighbours in blocks: the same as by brute force, exact for copies, within the memory allowed."""

from __future__ import annotations

import pytest
import torch

from ganops.evaluation.knn import KNNIndex


def clouds(shift: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(60, 5, generator=generator) + shift, torch.randn(200, 5, generator=generator) + shift


@pytest.mark.parametrize("block_bytes", [1, 4 * 200 * 7, 2**20])
def test_equals_brute_force(block_bytes: int) -> None:
    x, y = clouds()
    distances, rows = KNNIndex(y, block_bytes).nearest(x, k=3)
    expected = torch.cdist(x, y).sort(dim=1)
    torch.testing.assert_close(distances, expected.values[:, :3], rtol=1e-5, atol=1e-5)
    assert torch.equal(rows, expected.indices[:, :3])


def test_copies_lie_at_exactly_zero() -> None:
    """Even far from the origin, where the square of a length has no digits left for a difference."""
    _, y = clouds(shift=1000)
    distances, rows = KNNIndex(y).nearest(y[:50])
    assert torch.equal(distances, torch.zeros(50, 1))
    assert torch.equal(rows[:, 0], torch.arange(50))


def test_blocks_are_as_small_as_asked() -> None:
    x, y = clouds()
    sizes = [squares.numel() * 4 for _, squares in KNNIndex(y, block_bytes=3000).blocks(x)]
    assert max(sizes) <= 3000
    assert sum(sizes) == 60 * 200 * 4
