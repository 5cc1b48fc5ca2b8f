"""Samples of either kind get the picture that shows them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganops.errors import EvaluationError
from ganops.reporting.samples import SIDE, draw_samples


def points(*places: tuple[float, float]) -> torch.Tensor:
    return torch.tensor(places)[:, :, None, None]


def test_vectors_are_points_with_x_to_the_right_and_y_upwards() -> None:
    drawn = np.asarray(draw_samples(points((0.5, 0.5), (0.5, 0.5), (-0.5, 0.0))))
    assert drawn.shape == (SIDE, SIDE)
    rows, columns = np.nonzero(drawn < 255)
    right = columns > SIDE / 2
    assert rows[right].mean() == pytest.approx(SIDE * 0.25, abs=2)
    assert columns[right].mean() == pytest.approx(SIDE * 0.75, abs=2)
    assert rows[~right].mean() == pytest.approx(SIDE * 0.5, abs=2)
    assert drawn[rows[right], columns[right]].max() < drawn[rows[~right], columns[~right]].min()  # two lie there


def test_points_out_of_sight_stand_at_the_edge() -> None:
    drawn = np.asarray(draw_samples(points((9.0, 0.0), (float("nan"), float("inf")))))
    assert (drawn[:, -1] < 255).any()
    assert (drawn[0] < 255).any()


def test_images_are_a_square_grid_unless_columns_are_given() -> None:
    images = torch.zeros(6, 1, 56, 56, dtype=torch.uint8)
    assert draw_samples(images).size == (2 * 58 + 2, 3 * 58 + 2)
    assert draw_samples(images, columns=3).size == (3 * 58 + 2, 2 * 58 + 2)


def test_vectors_of_one_number_are_refused() -> None:
    with pytest.raises(EvaluationError, match="no points of a plane"):
        draw_samples(torch.zeros(3, 1, 1, 1))
