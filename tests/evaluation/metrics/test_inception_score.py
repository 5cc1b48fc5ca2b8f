"""The inception score: its two ends, torch-fidelity's numbers, and a standard error the bootstrap agrees with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_fidelity.metric_isc import isc_features_to_metric

from ganops.errors import EvaluationError
from ganops.evaluation.estimate import from_influence
from ganops.evaluation.metrics.inception_score import inception_score


def logits(count: int = 1000, classes: int = 10) -> torch.Tensor:
    return 3 * torch.randn(count, classes, generator=torch.Generator().manual_seed(0))


def test_a_perfect_generator_scores_the_number_of_classes() -> None:
    sure = 1000 * torch.eye(8).repeat(50, 1)
    assert inception_score(sure, splits=1, seed=0).mean == pytest.approx(8)


def test_a_constant_generator_scores_one() -> None:
    assert inception_score(logits(1).repeat(400, 1), splits=10, seed=0).mean == pytest.approx(1)


def test_an_unsure_classifier_scores_one() -> None:
    assert inception_score(torch.zeros(400, 10), splits=4, seed=0).mean == pytest.approx(1)


@pytest.mark.parametrize("splits", [1, 3, 10])
def test_equals_torch_fidelity(splits: int) -> None:
    found = inception_score(logits(), splits, seed=2020)
    expected = isc_features_to_metric(logits(), splits=splits, shuffle=True, rng_seed=2020)
    assert found.mean == pytest.approx(expected["inception_score_mean"], rel=1e-9)
    assert found.spread == pytest.approx(expected["inception_score_std"], rel=1e-6, abs=1e-12)


def test_order_does_not_matter_for_one_split() -> None:
    shuffled = logits()[torch.randperm(1000, generator=torch.Generator().manual_seed(1))]
    assert inception_score(shuffled, 1, 0).mean == pytest.approx(inception_score(logits(), 1, 0).mean, rel=1e-12)


def test_standard_error_agrees_with_the_bootstrap() -> None:
    found = inception_score(logits(), 1, 0)
    generator = np.random.default_rng(0)
    resampled = [
        inception_score(logits()[torch.from_numpy(generator.integers(0, 1000, 1000))], 1, 0).mean for _ in range(400)
    ]
    # 400 resamples know their own spread to 1 / sqrt(800), 3.5 %; four of these.
    assert from_influence(found.mean, found.influence).error == pytest.approx(np.std(resampled), rel=0.14)


@pytest.mark.parametrize(("rows", "splits"), [(torch.zeros(5, 3), 10), (torch.zeros(1, 3), 1), (torch.zeros(5), 1)])
def test_too_few_images_are_refused(rows: torch.Tensor, splits: int) -> None:
    with pytest.raises(EvaluationError) as caught:
        inception_score(rows, splits, 0)
    assert caught.value.code == "too-few-logits"


def test_nan_is_refused() -> None:
    with pytest.raises(EvaluationError) as caught:
        inception_score(torch.full((20, 3), torch.nan), 2, 0)
    assert caught.value.code == "logits-not-finite"


def test_logits_without_classes_are_refused() -> None:
    with pytest.raises(EvaluationError) as caught:
        inception_score(torch.zeros(20, 0), 2, 0)
    assert caught.value.code == "too-few-logits"
