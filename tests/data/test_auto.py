"""Size and channels are decided from the images alone."""

from __future__ import annotations

import pytest

from ganops.data.auto import SAMPLE, choose_format, sample
from ganops.data.decode import Inspection
from ganops.data.image_format import ImageFormat


@pytest.mark.parametrize(
    ("side", "size"), [(8, 16), (16, 16), (27, 16), (28, 28), (32, 32), (47, 32), (48, 48), (64, 64), (4000, 64)]
)
def test_the_size_is_the_largest_that_the_shorter_sides_reach(side: int, size: int) -> None:
    assert choose_format([Inspection(side, 2 * side, grey=False)]) == ImageFormat(size, 3)
    assert choose_format([Inspection(2 * side, side, grey=False)]) == ImageFormat(size, 3)


def test_the_median_decides() -> None:
    sides = [10, 30, 32, 100, 1000]
    assert choose_format([Inspection(side, side, grey=False) for side in sides]).size == 32


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (1, 1), (2, 3), (100, 3)])
def test_one_channel_where_nearly_all_are_grey(colour: int, channels: int) -> None:
    looks = [Inspection(64, 64, grey=number >= colour) for number in range(100)]
    assert choose_format(looks).channels == channels


def test_without_any_image_there_is_an_answer_too() -> None:
    assert choose_format([]) == ImageFormat(16, 3)


def test_the_sample_is_spread_over_all_names() -> None:
    names = [f"{number:05}" for number in range(100_000)]
    chosen = sample(names)
    assert len(chosen) == SAMPLE
    assert (chosen[0], chosen[-1]) == ("00000", f"{100_000 - 100_000 // SAMPLE:05}")
    assert sample(names[:5]) == names[:5]
    assert sample([]) == []
