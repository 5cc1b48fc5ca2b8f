"""Generators that cheat, made of real digits: each is caught by the score that should catch it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganops.data.packed import PackedImages, read_packed
from ganops.evaluation.evaluate import Evaluation

COUNT = 300


@pytest.fixture(scope="module")
def honest(unseen: PackedImages, score: Callable[..., Evaluation]) -> Evaluation:
    """As good as nature: digits that no training has seen."""
    return score(unseen.images[:COUNT])


@pytest.fixture(scope="module")
def noisy(unseen: PackedImages, score: Callable[..., Evaluation]) -> Evaluation:
    """The same digits under noise of a quarter of the range."""
    images = unseen.images[:COUNT].float()
    noise = 64 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return score((images + noise).round().clamp(0, 255).to(torch.uint8))


def test_nothing_is_held_against_an_honest_generator(honest: Evaluation) -> None:
    found = {key: estimate.value for key, estimate in honest.scores.items()}
    assert 0.4 < found["memorisation"] < 0.6
    assert found["memorisation_p"] > 0.01
    assert found["modes"] == 10
    assert found["mode_kl"] < 0.05
    assert found["diversity"] == pytest.approx(1, abs=0.1)
    assert min(found["precision"], found["recall"], found["coverage"]) > 0.7
    assert abs(found["kid"]) < 3 * (honest.scores["kid"].error or 0) + 0.01


def test_replayed_training_images_are_memorised(
    prepared: Path, score: Callable[..., Evaluation], honest: Evaluation
) -> None:
    """FID, precision and recall praise the copies; memorisation names them, and shows the pairs."""
    train = read_packed(prepared, "train").images
    copies = score(train[:COUNT])
    assert copies.scores["fid"].value < honest.scores["fid"].value
    assert copies.scores["precision"].value > 0.9
    assert copies.scores["memorisation"].value > 0.99
    assert copies.scores["memorisation_p"].value < 1e-20
    assert copies.closest.distances.max() < 1e-4
    assert torch.equal(copies.closest.images, train[copies.closest.rows])


def test_a_single_mode_has_no_diversity(prepared: Path, score: Callable[..., Evaluation], honest: Evaluation) -> None:
    """Ones, and nothing but ones: each looks real, and precision is content."""
    train = read_packed(prepared, "train")
    assert train.labels is not None
    ones = train.images[train.labels == 1]
    found = score(ones.repeat(COUNT // len(ones) + 1, 1, 1, 1)[:COUNT]).scores
    assert found["precision"].value > 0.9
    assert found["modes"].value <= 2
    assert found["mode_kl"].value > 1.5
    assert found["recall"].value < 0.3 < honest.scores["recall"].value
    assert found["coverage"].value < 0.3
    assert found["diversity"].value < 0.7
    assert found["is"].value < 2
    assert found["fid"].value > 5 * honest.scores["fid"].value


def test_noise_lowers_precision(noisy: Evaluation, honest: Evaluation) -> None:
    for key in ("precision", "density", "coverage"):
        assert noisy.scores[key].value < honest.scores[key].value - 0.1, key
    assert noisy.scores["fid"].value > 2 * honest.scores["fid"].value
    assert noisy.scores["kid"].value > 0.05


def test_a_missing_class_is_named(unseen: PackedImages, score: Callable[..., Evaluation]) -> None:
    assert unseen.labels is not None
    found = score(unseen.images[unseen.labels != 3][:COUNT])
    assert found.scores["modes"].value == 9
    assert found.scores["mode_kl"].value > 0.08  # log(10 / 9) is 0.105
    row = next(row for row in found.classes if row.name == "3")
    assert row.generated_share < 0.01
    assert row.coverage is not None
    assert row.coverage.value < 0.2
    assert found.scores["coverage_gap"].value > 0.5


def test_a_gap_is_as_sure_as_the_two_classes_at_its_ends(noisy: Evaluation) -> None:
    known = sorted((row.coverage.value, row.coverage.error) for row in noisy.classes if row.coverage is not None)
    (lowest, low_error), (highest, high_error) = known[0], known[-1]
    gap = noisy.scores["coverage_gap"]
    assert low_error
    assert high_error
    assert gap.value == pytest.approx(highest - lowest)
    assert gap.error == pytest.approx((low_error**2 + high_error**2) ** 0.5)


def test_each_verdict_is_beyond_chance(noisy: Evaluation, honest: Evaluation) -> None:
    """The standard errors say so themselves: the noisy generator is worse by more than two of them."""
    for key, sign in (("fid", 1), ("kid", 1), ("precision", -1), ("coverage", -1)):
        one, other = noisy.scores[key], honest.scores[key]
        assert one.error is not None
        assert other.error is not None
        assert sign * (one.value - other.value) > 2 * (one.error**2 + other.error**2) ** 0.5, key
