"""The Frechet distance: closed forms, pytorch-fid's numbers, and a standard error the bootstrap agrees with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.estimate import from_influence
from ganops.evaluation.frechet import factorise, frechet_distance, frechet_influence
from ganops.evaluation.statistics import Statistics, statistics_of

pytestmark = pytest.mark.filterwarnings("ignore:The `disp` argument:DeprecationWarning")  # pytorch-fid's own


def gaussian(mean: Tensor, covariance: Tensor) -> Statistics:
    return Statistics(mean.double(), covariance.double(), 100)


def features(count: int, dim: int, seed: int, shift: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dim, dim, generator=torch.Generator().manual_seed(99)) / dim**0.5
    return torch.randn(count, dim, generator=generator).relu() @ mixing + shift


def test_equal_gaussians_have_no_distance() -> None:
    found = statistics_of([features(500, 20, 0)])
    assert frechet_distance(found, found) == pytest.approx(0, abs=1e-9)


def test_shifted_gaussians_are_apart_by_the_squared_shift() -> None:
    covariance = statistics_of([features(500, 4, 0)]).covariance
    shift = torch.tensor([1.0, -2.0, 0.0, 2.0])
    assert frechet_distance(gaussian(shift, covariance), gaussian(torch.zeros(4), covariance)) == pytest.approx(9)


def test_diagonal_covariances() -> None:
    """The sum of (sqrt(a) - sqrt(b))^2: here (2 - 3)^2 + (1 - 5)^2 = 17."""
    one, other = torch.diag(torch.tensor([4.0, 1.0])), torch.diag(torch.tensor([9.0, 25.0]))
    assert frechet_distance(gaussian(torch.zeros(2), one), gaussian(torch.zeros(2), other)) == pytest.approx(17)


def test_a_singular_covariance() -> None:
    """A point against a Gaussian: the squared shift and the Gaussian's whole variance."""
    point, spread = gaussian(torch.ones(3), torch.zeros(3, 3)), gaussian(torch.zeros(3), 2 * torch.eye(3))
    assert frechet_distance(point, spread) == pytest.approx(3 + 6)
    assert frechet_distance(spread, point) == pytest.approx(3 + 6)


def test_equals_pytorch_fid() -> None:
    one, other = statistics_of([features(400, 64, 0)]), statistics_of([features(300, 64, 1, shift=0.3)])
    expected = calculate_frechet_distance(*(part.numpy() for s in (one, other) for part in (s.mean, s.covariance)))
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-8)


def test_equals_pytorch_fid_for_fewer_samples_than_features() -> None:
    one, other = statistics_of([features(30, 64, 0)]), statistics_of([features(40, 64, 1, shift=0.3)])
    expected = calculate_frechet_distance(*(part.numpy() for s in (one, other) for part in (s.mean, s.covariance)))
    # The general matrix root that pytorch-fid takes is itself inexact for singular products.
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("count", [50, 5])
def test_factors_give_the_matrix_back(count: int) -> None:
    """Of full rank, and of 5 samples in 8 dimensions."""
    covariance = statistics_of([features(count, 8, 0)]).covariance
    factor = factorise(covariance)
    torch.testing.assert_close(factor @ factor.T, covariance, rtol=1e-10, atol=1e-12)


def test_influence_is_the_derivative_for_more_weight_on_a_sample() -> None:
    rows, real = features(200, 5, 0).double(), statistics_of([features(300, 5, 1, shift=0.5)])

    def weighted(weights: Tensor) -> float:
        weights = weights / weights.sum()
        mean = weights @ rows
        centred = rows - mean
        return frechet_distance(gaussian(mean, (centred * weights[:, None]).T @ centred), real)

    even = torch.ones(200, dtype=torch.float64)
    biased = gaussian(rows.mean(0), torch.cov(rows.T, correction=0))
    value, influence = frechet_influence(rows.float(), biased, real)
    assert value == pytest.approx(weighted(even), rel=1e-9)
    for index in (0, 17, 123):
        nudged = even.clone()
        nudged[index] += 1e-3
        slope = (weighted(nudged) - weighted(even)) / (1e-3 / 200)
        # A finite difference of a smooth function, and features in float32.
        assert float(influence[index]) == pytest.approx(slope, rel=2e-2, abs=2e-3)


def test_standard_error_agrees_with_the_bootstrap() -> None:
    rows, real = features(1000, 6, 0), statistics_of([features(1000, 6, 1, shift=0.4)])
    value, influence = frechet_influence(rows, statistics_of([rows]), real)
    generator = np.random.default_rng(0)
    resampled = [
        frechet_distance(statistics_of([rows[torch.from_numpy(generator.integers(0, 1000, 1000))]]), real)
        for _ in range(300)
    ]
    # 300 resamples know their own spread to 1 / sqrt(600), 4 %; four of these.
    assert from_influence(value, influence).error == pytest.approx(np.std(resampled), rel=0.16)


def test_different_numbers_of_features_are_refused() -> None:
    one, other = statistics_of([torch.rand(9, 3)]), statistics_of([torch.rand(9, 4)])
    with pytest.raises(EvaluationError) as caught:
        frechet_distance(one, other)
    assert caught.value.code == "features-differ"
    with pytest.raises(EvaluationError) as caught:
        frechet_influence(torch.rand(9, 3), one, other)
    assert caught.value.code == "features-differ"
