"""A recipe's penalty: how much of it is paid in which round."""

from __future__ import annotations

import pytest
import torch

from ganops.games.penalty import PenaltySettings


def test_a_penalty_falls_by_the_same_factor_in_each_round_down_to_its_last_weight() -> None:
    falling = PenaltySettings(kind="r1", weight=1.0, last_weight=0.01, rounds=100)
    assert [falling.weight_at(step) for step in (0, 50, 100, 1000)] == pytest.approx([1.0, 0.1, 0.01, 0.01])
    assert PenaltySettings(kind="r1", weight=2.0).weight_at(10**6) == 2.0
    real = torch.ones(4, 1)
    (value,) = falling.term(lambda x: 3 * x.sum(dim=1), real, real, step=50).values()
    assert float(value) == pytest.approx(0.1 * 0.5 * 9)
