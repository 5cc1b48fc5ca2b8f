"""Modes hit and high quality, on points whose answer is known."""

from __future__ import annotations

from math import exp

import pytest
import torch

from ganops.data.mixture import Mixture
from ganops.data.sources.mixtures import MixtureName, collect, mixture
from ganops.evaluation.metrics.mixture import nearest

PAIR = Mixture(centres=((0.0, 0.0), (1.0, 0.0)), sigma=0.1)


def test_a_point_is_of_high_quality_within_three_sigma_of_the_nearest_centre() -> None:
    found = nearest(torch.tensor([[0.0, 0.29], [0.0, 0.31], [0.71, 0.0], [0.6, 0.0], [0.75, 0.25]]), PAIR)
    assert found.mode.tolist() == [0, 0, 1, 1, 1]
    assert found.high_quality.tolist() == [True, False, True, False, False]


def test_a_mode_counts_only_where_a_point_of_high_quality_lies() -> None:
    assert nearest(torch.tensor([[0.0, 0.0], [0.0, 0.1], [0.6, 0.0]]), PAIR).modes_found == 1
    assert nearest(torch.tensor([[0.0, 0.0], [1.0, 0.1]]), PAIR).modes_found == 2
    assert nearest(torch.tensor([[5.0, 5.0]]), PAIR).modes_found == 0


def test_a_mode_hit_by_one_point_alone_is_half_luck() -> None:
    """Of 100 points one hits the second mode: drawn again it is missed with probability 0.99^100."""
    found = nearest(torch.cat([torch.zeros(49, 2), torch.full((50, 2), 5.0), torch.tensor([[1.0, 0.0]])]), PAIR)
    missed = 0.99**100
    assert found.modes_found == 2
    # The spread of 1,000 resamples is known to some 2 % of itself; four of these.
    assert found.modes_error == pytest.approx((missed * (1 - missed)) ** 0.5, rel=0.08)


@pytest.mark.parametrize("name", ["ring2d", "grid2d"])
def test_real_points_hit_every_mode_and_miss_as_seldom_as_gaussians_do(name: MixtureName) -> None:
    known, columns = mixture(name), collect(name).columns
    found = nearest(torch.from_numpy(columns["vector"]), known)
    assert found.modes_found == len(known.centres)
    # Of a Gaussian in the plane 1 - exp(-9/2) lies within three sigma; 110,000 points leave a standard error of 0.0003.
    assert float(found.high_quality.double().mean()) == pytest.approx(1 - exp(-4.5), abs=0.0013)
    assert found.mode.tolist() == columns["label"].tolist()
