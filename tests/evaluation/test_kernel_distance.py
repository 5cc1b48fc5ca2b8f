"""KID: worked out by hand, torch-fidelity's numbers, unbiased, and a standard error that simulations agree with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity.metric_kid import kid_features_to_metric

from ganops.errors import EvaluationError
from ganops.evaluation.all_pairs import compare
from ganops.evaluation.kernel_distance import KernelDistance, mmd2
from ganops.evaluation.products import ROWS


def features(count: int, seed: int, shift: float = 0.0, dim: int = 16) -> Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)) + shift


def kernel_distance(generated: Tensor, real: Tensor, subsets: int, subset_size: int, seed: int) -> KernelDistance:
    found = compare(generated, real, seed, (subsets, subset_size), None).distance
    assert found is not None
    return found


def test_by_hand() -> None:
    """One feature, x = (0, 1), y = (1, 2): kernels are (xy + 1)^3.

    Within x: k(0, 1) = 1. Within y: k(1, 2) = 27. Across: 1, 1, 8, 27, mean 9.25. 1 + 27 - 2 * 9.25 = 9.5.
    """
    assert mmd2(torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])).value == pytest.approx(9.5)


def test_equals_torch_fidelity() -> None:
    """Of more rows than a block has, so that blocks on the diagonal, below it and at its end all take part."""
    generated, real = features(2 * ROWS + 50, 0), features(ROWS + 50, 1, shift=0.2)
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
    draws = [mmd2(features(50, 2 * seed), features(50, 2 * seed + 1)).value for seed in range(200)]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / 200**0.5
    assert min(draws) < 0


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5])
def test_standard_error_agrees_with_repetition(shift: float) -> None:
    """Over many generated sets against one real set: a perfect generator, one that is near, and one that is not.

    150 repetitions know their spread to 6 %.
    """
    real = features(600, 1)
    repeated = [kernel_distance(features(500, seed, shift), real, 20, 150, 0) for seed in range(10, 160)]
    true = np.std([found.mean for found in repeated], ddof=1)
    assert np.mean([found.error for found in repeated]) == pytest.approx(true, rel=0.25)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_standard_error_of_all_images_agrees_with_repetition(shift: float) -> None:
    real = features(100, 1)
    repeated = [mmd2(features(80, seed, shift), real) for seed in range(10, 160)]
    true = np.std([found.value for found in repeated], ddof=1)
    assert np.mean([found.error or 0 for found in repeated]) == pytest.approx(true, rel=0.25)


@pytest.mark.parametrize("count", [2, 3])
def test_the_fewest_images_have_a_finite_error(count: int) -> None:
    found = kernel_distance(features(count, 0), features(count, 1), 1, 2, 0)
    assert found.error >= 0


def test_the_standard_error_does_not_depend_on_the_order_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are more images than witnesses: those of one class may come first."""
    monkeypatch.setattr("ganops.evaluation.kernel_distance.WITNESSES", 100)
    generator = torch.Generator().manual_seed(0)
    classes = torch.arange(2).repeat_interleave(200)[:, None] * 2.0
    made, real = (classes + torch.randn(400, 4, generator=generator) for _ in range(2))
    order = torch.randperm(400, generator=generator)
    found = kernel_distance(made + 0.5, real, 20, 100, seed=0).error
    mixed = kernel_distance(made[order] + 0.5, real[order], 20, 100, seed=0).error
    assert found == pytest.approx(mixed, rel=0.25), "the first images alone would give half of it"


def test_a_shift_is_seen() -> None:
    near = kernel_distance(features(300, 0), features(300, 1), 10, 100, 0).mean
    far = kernel_distance(features(300, 0, shift=0.5), features(300, 1), 10, 100, 0).mean
    assert far > 0.1 > near


def test_too_few_images_and_other_features_are_refused() -> None:
    for generated, real, code, found in (
        (features(99, 0), features(200, 1), "too-few-images", "99"),
        (features(200, 0), features(99, 1), "too-few-images", "99"),
        (features(200, 0), features(200, 1, dim=3), "features-differ", "16"),
    ):
        with pytest.raises(EvaluationError) as caught:
            kernel_distance(generated, real, 3, 100, 0)
        assert (caught.value.code, caught.value.found) == (code, found)
