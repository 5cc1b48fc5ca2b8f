"""Mean distances between images: exact for few, and no dependence on order."""

from __future__ import annotations

import pytest
import torch

from ganops.evaluation.metrics.diversity import spread


def test_all_pairs_of_a_few_points() -> None:
    """0, 3 and 7 on a line: mean distances to the two others 5, 3.5 and 5.5."""
    assert spread(torch.tensor([[0.0], [3.0], [7.0]]), seed=0).tolist() == pytest.approx([5, 3.5, 5.5])


def test_a_gaussian_cloud() -> None:
    """Pairs of standard normal points in d dimensions are sqrt(2 d) apart, for large d."""
    features = torch.randn(500, 400, generator=torch.Generator().manual_seed(0))
    assert float(spread(features, seed=0).mean()) == pytest.approx(800**0.5, rel=0.01)
    assert float(spread(3 * features, seed=0).mean()) == pytest.approx(3 * 800**0.5, rel=0.01)


def test_one_image_repeated_has_none() -> None:
    assert float(spread(torch.ones(50, 4), seed=0).max()) == 0
