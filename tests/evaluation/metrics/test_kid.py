"""KID: worked out by hand, torch-fidelity's numbers, unbiased, and a standard error that repetition agrees with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_kid import kid_features_to_metric

from ganops.errors import EvaluationError
from ganops.evaluation.estimate import from_influence
from ganops.evaluation.metrics.kid import kernel_distance, mmd2


def features(count: int, seed: int, shift: float = 0.0, dim: int = 16) -> Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)) + shift


def test_by_hand() -> None:
    """One feature, x = (0, 1), y = (1, 2): kernels are (xy + 1)^3.

    Within x: k(0, 1) = 1. Within y: k(1, 2) = 27. Across: 1, 1, 8, 27, mean 9.25. 1 + 27 - 2 * 9.25 = 9.5.
    """
    assert mmd2(torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])) == pytest.approx(9.5)


def test_equals_torch_fidelity() -> None:
    generated, real = features(300, 0), features(250, 1, shift=0.2)
    found = kernel_distance(generated, real, subsets=12, subset_size=100, seed=2020)
    settings = {"kid_subsets": 12, "kid_subset_size": 100, "rng_seed": 2020, "verbose": False}
    expected = kid_features_to_metric(generated, real, **settings)
    # torch-fidelity sums in float32.
    assert found.mean == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-3)
    assert found.spread == pytest.approx(expected["kernel_inception_distance_std"], rel=1e-3)


def test_swapped_arguments_are_noticed() -> None:
    """The sides are drawn in turn from one stream of random numbers: subsets, and so the number, are others."""
    generated, real = features(300, 0), features(250, 1, shift=0.2)
    one, other = kernel_distance(generated, real, 3, 50, 0).mean, kernel_distance(real, generated, 3, 50, 0).mean
    assert one != pytest.approx(other, rel=1e-3)


def test_unbiased() -> None:
    """Equal distributions: the mean over many draws is 0 within its own standard error."""
    draws = [mmd2(features(50, 2 * seed), features(50, 2 * seed + 1)) for seed in range(200)]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / 200**0.5
    assert min(draws) < 0


def test_standard_error_agrees_with_repetition() -> None:
    """Over many generated sets against one real set."""
    real = features(1000, 1, shift=0.3)
    repeated = [mmd2(features(500, seed), real) for seed in range(10, 110)]
    found = kernel_distance(features(500, 0), real, subsets=1, subset_size=400, seed=0)
    # 100 repetitions know their spread to 7 %, and the influence is known from 400 images to some 10 %.
    assert from_influence(found.mean, found.influence).error == pytest.approx(np.std(repeated), rel=0.35)


def test_a_shift_is_seen() -> None:
    near = kernel_distance(features(300, 0), features(300, 1), 10, 100, 0).mean
    far = kernel_distance(features(300, 0, shift=0.5), features(300, 1), 10, 100, 0).mean
    assert far > 0.1 > near


def test_too_few_images_and_other_features_are_refused() -> None:
    with pytest.raises(EvaluationError, match="too few generated"):
        kernel_distance(features(99, 0), features(200, 1), 3, 100, 0)
    with pytest.raises(EvaluationError, match="too few real"):
        kernel_distance(features(200, 0), features(99, 1), 3, 100, 0)
    with pytest.raises(EvaluationError, match="differ in number"):
        kernel_distance(features(200, 0), features(200, 1, dim=3), 3, 100, 0)
