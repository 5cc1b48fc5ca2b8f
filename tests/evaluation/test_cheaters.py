"""Generators that cheat, made of real digits: each is caught by the score that should catch it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.evaluation.evaluator import Evaluation
from ganops.evaluation.metrics.by_class import COLUMNS
from ganops.params import GateParams
from ganops.registry.gate import Decision, ModelRecord, decide

COUNT = 300


@pytest.fixture(scope="module")
def honest(unseen: Rows, score: Callable[..., Evaluation]) -> Evaluation:
    """As good as nature: digits that no training has seen."""
    return score(unseen["image"][:COUNT])


@pytest.fixture(scope="module")
def noisy(unseen: Rows, score: Callable[..., Evaluation]) -> Evaluation:
    """The same digits under noise of a quarter of the range."""
    images = unseen["image"][:COUNT].float()
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
    assert abs(found["kid_classifier"]) < 3 * (honest.scores["kid_classifier"].error or 0) + 0.01


def test_replayed_training_images_are_memorised(
    prepared: Path, score: Callable[..., Evaluation], honest: Evaluation
) -> None:
    """FID, precision and recall praise the copies; memorisation names them, and shows the pairs."""
    train = read_packed(prepared, "train")["image"]
    copies = score(train[:COUNT])
    assert copies.scores["fid_classifier"].value < honest.scores["fid_classifier"].value
    assert copies.scores["precision"].value > 0.9
    assert copies.scores["memorisation"].value > 0.99
    assert copies.scores["memorisation_p"].value < 1e-20
    assert copies.closest is not None
    assert copies.closest.distances.max() < 1e-4
    assert torch.equal(copies.closest.samples, train[copies.closest.rows])


def test_a_single_mode_has_no_diversity(prepared: Path, score: Callable[..., Evaluation], honest: Evaluation) -> None:
    """Ones, and nothing but ones: each looks real, and precision is content."""
    train = read_packed(prepared, "train")
    ones = train["image"][train["label"] == 1]
    found = score(ones.repeat(COUNT // len(ones) + 1, 1, 1, 1)[:COUNT]).scores
    assert found["precision"].value > 0.9
    assert found["modes"].value <= 2
    assert found["mode_kl"].value > 1.5
    assert found["recall"].value < 0.3 < honest.scores["recall"].value
    assert found["coverage"].value < 0.3
    assert found["diversity"].value < 0.7
    assert found["is_classifier"].value < 2
    assert found["fid_classifier"].value > 5 * honest.scores["fid_classifier"].value


def test_noise_lowers_precision(noisy: Evaluation, honest: Evaluation) -> None:
    for key in ("precision", "density", "coverage"):
        assert noisy.scores[key].value < honest.scores[key].value - 0.1, key
    assert noisy.scores["fid_classifier"].value > 2 * honest.scores["fid_classifier"].value
    assert noisy.scores["kid_classifier"].value > 0.05


def test_a_missing_class_is_named(unseen: Rows, score: Callable[..., Evaluation]) -> None:
    found = score(unseen["image"][unseen["label"] != 3][:COUNT])
    assert found.scores["modes"].value == 9
    assert found.scores["mode_kl"].value > 0.08  # log(10 / 9) is 0.105
    row = dict(zip(COLUMNS, found.tables["classes"].rows[3], strict=True))
    assert row["class"] == "3"
    assert row["generated_share"] < 0.01
    assert row["coverage"] < 0.2
    assert row["kid"] is None
    assert "intra_kid_classifier" not in found.scores
    assert found.scores["coverage_gap"].value > 0.5


def judged(evaluation: Evaluation) -> Decision:
    """As the first candidate, by the gate's defaults."""
    return decide(GateParams(), ModelRecord("1", (evaluation.scores,), metric="fid_classifier"), None)


def test_the_gate_refuses_copies_and_a_lost_class_and_nothing_else(
    prepared: Path, unseen: Rows, score: Callable[..., Evaluation], honest: Evaluation
) -> None:
    """The copies have a better FID than new digits; half of them copies, the other half new, is refused no more."""
    train = read_packed(prepared, "train")["image"]
    half = score(torch.cat([train[: COUNT // 2], unseen["image"][: COUNT // 2]]))
    without_threes = score(unseen["image"][unseen["label"] != 3][:COUNT])
    assert judged(honest).promote
    assert judged(half).promote
    for cheater, title in ((score(train[:COUNT]), "Memorisation"), (without_threes, "Rarest class")):
        (refusal,) = [finding for finding in judged(cheater).findings if not finding.passed]
        assert refusal.code == "limit"
        assert refusal.reason.startswith(title)


def test_a_gap_lies_between_the_two_classes_at_its_ends(noisy: Evaluation) -> None:
    place = COLUMNS.index("coverage")
    known = [float(row[place]) for row in noisy.tables["classes"].rows if row[place] is not None]
    gap = noisy.scores["coverage_gap"]
    assert gap.value == pytest.approx(max(known) - min(known))
    assert gap.error is not None
    assert 0 < gap.error < 0.3


def test_each_verdict_is_beyond_chance(noisy: Evaluation, honest: Evaluation) -> None:
    """The standard errors say so themselves: the noisy generator is worse by more than two of them."""
    for key, sign in (("fid_classifier", 1), ("kid_classifier", 1), ("precision", -1), ("coverage", -1)):
        one, other = noisy.scores[key], honest.scores[key]
        assert one.error is not None
        assert other.error is not None
        assert sign * (one.value - other.value) > 2 * (one.error**2 + other.error**2) ** 0.5, key
