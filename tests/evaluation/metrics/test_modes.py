"""Classes found and the divergence of their shares, worked out by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch

from ganops.evaluation.estimate import from_influence
from ganops.evaluation.metrics.modes import modes


def rows(*counts: int) -> torch.Tensor:
    return torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))


def test_by_hand() -> None:
    """Generated shares 3/4, 1/4, 0 against thirds: KL is 3/4 log(9/4) + 1/4 log(3/4)."""
    found = modes(rows(30, 10, 0), rows(5, 5, 5), 3)
    assert found.divergence == pytest.approx(0.75 * log(9 / 4) + 0.25 * log(3 / 4))
    assert found.found.tolist() == [True, True, False]
    assert found.generated.tolist() == pytest.approx([0.75, 0.25, 0])


def test_swapped_arguments_are_noticed() -> None:
    found = modes(rows(5, 5, 5), rows(30, 10, 1), 3)
    assert found.divergence != pytest.approx(modes(rows(30, 10, 1), rows(5, 5, 5), 3).divergence, rel=0.1)
    assert found.found.all()


def test_real_proportions_have_no_divergence() -> None:
    assert modes(rows(20, 40, 60), rows(1, 2, 3), 3).divergence == pytest.approx(0, abs=1e-12)


def test_a_class_is_found_from_a_tenth_of_its_share_on() -> None:
    real = rows(50, 50)
    assert modes(rows(950, 50), real, 2).found.tolist() == [True, True]
    assert modes(rows(951, 49), real, 2).found.tolist() == [True, False]
    assert modes(rows(999, 1), real, 2, found_share=0).found.tolist() == [True, True]  # as the papers count
    assert modes(rows(1000, 0), real, 2, found_share=0).found.tolist() == [True, False]


def test_standard_error_agrees_with_the_bootstrap() -> None:
    predicted, real = rows(500, 300, 200), rows(1, 1, 1)
    found = modes(predicted, real, 3)
    generator = np.random.default_rng(0)
    resampled = [
        modes(predicted[torch.from_numpy(generator.integers(0, 1000, 1000))], real, 3).divergence for _ in range(400)
    ]
    # 400 resamples know their own spread to 3.5 %; four of these.
    assert from_influence(found.divergence, found.influence).error == pytest.approx(np.std(resampled), rel=0.14)


def test_the_number_found_is_as_sure_as_its_rarest_class() -> None:
    """One image of 1,000 is drawn again with probability 1 - (1 - 1/1000)^1000; classes of 300 and more always are."""
    found = modes(rows(500, 499, 1), rows(1, 1, 1), 3, found_share=0)
    chance = 1 - (1 - 1e-3) ** 1000
    # The spread of 1,000 resamples is known to some 2 % of itself; four of these.
    assert found.found_error == pytest.approx((chance * (1 - chance)) ** 0.5, rel=0.08)
    assert modes(rows(500, 300, 200), rows(1, 1, 1), 3).found_error == 0


def test_the_rarest_class_is_the_one_that_is_surely_too_rare() -> None:
    """A class of one expected image that is missing by chance does not hide one of 500 that is lost."""
    real = rows(499, 500, 1)
    honest, lost = modes(rows(500, 500, 0), real, 3).rarest, modes(rows(999, 0, 1), real, 3).rarest
    assert honest.value + 2 * (honest.error or 0.0) > 0.9
    assert lost.value == 0
    assert lost.value + 2 * (lost.error or 0.0) < 0.02
