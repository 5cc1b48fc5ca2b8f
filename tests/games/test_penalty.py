"""A recipe's penalty: its weight in each step."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from ganops.games.augmentation import FixedAdaSettings
from ganops.games.penalty import PenaltySettings


def test_a_penalty_falls_by_the_same_factor_in_each_step_down_to_its_last_weight() -> None:
    falling = PenaltySettings(kind="r1", weight=1.0, last_weight=0.01, steps=100)
    assert [falling.weight_at(step) for step in (0, 50, 100, 1000)] == pytest.approx([1.0, 0.1, 0.01, 0.01])
    assert PenaltySettings(kind="r1", weight=2.0).weight_at(10**6) == 2.0
    real = torch.ones(4, 1)
    (value,) = falling.term(lambda x: 3 * x.sum(dim=1), real, real, step=50).values()
    assert float(value) == pytest.approx(0.1 * 0.5 * 9)


def test_a_penalty_may_fall_along_a_cosine() -> None:
    falling = PenaltySettings(kind="r1-r2", weight=2.0, last_weight=0.2, steps=100, schedule="cosine")
    assert [falling.weight_at(step) for step in (0, 50, 100, 1000)] == pytest.approx([2.0, 1.1, 0.2, 0.2])


def test_a_weight_or_probability_that_moves_takes_steps() -> None:
    """Without them it would have its last value in the second step."""
    with pytest.raises(ValidationError):
        PenaltySettings(kind="r1", weight=1.0, last_weight=0.1)
    with pytest.raises(ValidationError):
        FixedAdaSettings(kind="ada-fixed", probability=0.5, first=0.0)


@pytest.mark.parametrize("kind", ["gradient-penalty", "r1", "r1-r2", "dragan"])
@pytest.mark.parametrize("shape", [(5, 2), (5, 3, 4), (5, 1, 4, 4)])
def test_penalties_take_rows_of_any_shape(kind: str, shape: tuple[int, ...]) -> None:
    """D(x) = sum of x: its gradient has the norm sqrt(D)."""
    settings = PenaltySettings.model_validate({"kind": kind, "weight": 1.0})
    (value,) = settings.term(lambda x: x.flatten(1).sum(dim=1), torch.randn(shape), torch.randn(shape), 0).values()
    size = torch.Size(shape[1:]).numel()
    expected = {"r1": 0.5 * size, "r1-r2": size}.get(kind, (size**0.5 - 1) ** 2)
    assert float(value) == pytest.approx(expected, rel=1e-5)
