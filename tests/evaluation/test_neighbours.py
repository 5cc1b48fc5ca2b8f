"""Samples and their nearest training images stand in pairs, with their distance below."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from example_results import digits

from ganops.errors import EvaluationError
from ganops.evaluation.neighbours import PAIR_GAP, neighbour_grid


def test_each_pair_is_a_sample_and_to_its_right_the_nearest() -> None:
    samples, nearest = torch.full((3, 1, 8, 8), 10, dtype=torch.uint8), torch.full((3, 1, 8, 8), 200, dtype=torch.uint8)
    picture = np.asarray(neighbour_grid(samples, nearest, [1.0, 2.0, 3.0], columns=2, scale=7))[..., 0]
    left, right = np.argwhere(picture == 10), np.argwhere(picture == 200)
    assert len(left) >= 3 * 56 * 56  # the text may have pixels of these greys too, on white only
    pair = 2 * 56 + 3 * 2  # two images, three gaps
    for start in (PAIR_GAP // 2, PAIR_GAP // 2 + pair + PAIR_GAP):
        columns = picture[:, start : start + pair]
        assert (columns[:, 2] == 10).sum() >= 56
        assert (columns[:, -3] == 200).sum() >= 56
    assert left[:, 1].min() < right[:, 1].min()


def test_distances_change_the_text_and_nothing_else_does() -> None:
    one = np.asarray(neighbour_grid(digits()[:4], digits()[4:8], [1.0, 2.0, 3.0, 4.0]))
    same = np.asarray(neighbour_grid(digits()[:4], digits()[4:8], torch.tensor([1.0, 2.0, 3.0, 4.0])))
    other = np.asarray(neighbour_grid(digits()[:4], digits()[4:8], [1.0, 2.0, 3.0, 9.0]))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_more_samples_than_neighbours_is_an_error() -> None:
    with pytest.raises(EvaluationError) as caught:
        neighbour_grid(digits()[:4], digits()[:3], [1.0] * 4)
    assert caught.value.code == "pairs-differ"
    with pytest.raises(EvaluationError) as caught:
        neighbour_grid(digits()[:4], digits()[:4], [1.0] * 3)
    assert caught.value.code == "pairs-differ"
