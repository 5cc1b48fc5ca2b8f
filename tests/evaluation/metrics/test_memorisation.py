"""The rank test: scipy's numbers, 0.5 for new real images, 1 for copies."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import mannwhitneyu

from ganops.errors import EvaluationError
from ganops.evaluation.metrics.memorisation import rank_test


def distances(count: int, seed: int, shift: float = 0.0, levels: int | None = None) -> torch.Tensor:
    values = torch.rand(count, generator=torch.Generator().manual_seed(seed)) + 1 + shift
    return values if levels is None else (values * levels).round() / levels


@pytest.mark.parametrize("shift", [-0.1, 0.0, 0.1])
@pytest.mark.parametrize("levels", [None, 5])
def test_equals_scipy_with_and_without_ties(shift: float, levels: int | None) -> None:
    generated, held_out = distances(120, 0, shift, levels), distances(90, 1, levels=levels)
    expected = mannwhitneyu(generated.numpy(), held_out.numpy(), alternative="less", method="asymptotic")
    found = rank_test(generated, held_out)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    # scipy's U counts pairs in which the generated distance is the greater one, here in float32.
    assert float(found.closer.mean()) == pytest.approx(1 - expected.statistic / (120 * 90), rel=1e-6)


def test_the_error_is_the_spread_between_draws_of_both_sides() -> None:
    """Of 400 pairs of draws, with 1,000 generated and 60 held-out images: these decide, not the generated ones."""
    found = [rank_test(distances(1000, seed, -0.3), distances(60, 1000 + seed)) for seed in range(400)]
    spread = torch.stack([each.closer.mean() for each in found]).std()
    assert sum(each.error for each in found) / len(found) == pytest.approx(float(spread), rel=0.1)


def test_copies() -> None:
    found = rank_test(torch.zeros(200), distances(100, 0))
    assert float(found.closer.mean()) == 1
    assert found.p_value < 1e-30


def test_swapped_arguments_are_noticed() -> None:
    """Held-out images at distance 0 from the training images are not the generator's fault."""
    found = rank_test(distances(100, 0), torch.zeros(200))
    assert float(found.closer.mean()) == 0
    assert found.p_value > 1 - 1e-9


def test_all_distances_equal() -> None:
    found = rank_test(torch.ones(50), torch.ones(40))
    assert float(found.closer.mean()) == 0.5
    assert found.p_value == 1


def test_p_values_of_honest_generators_are_uniform() -> None:
    """About one in ten below 0.1, of 200: within four standard deviations, 4 * sqrt(200 * .1 * .9) = 17."""
    values = [rank_test(distances(60, 2 * seed), distances(60, 2 * seed + 1)).p_value for seed in range(200)]
    assert abs(sum(value < 0.1 for value in values) - 20) < 17


def test_too_few_held_out_images_are_refused() -> None:
    with pytest.raises(EvaluationError) as caught:
        rank_test(torch.ones(50), torch.ones(19))
    assert caught.value.code == "too-few-held-out"
