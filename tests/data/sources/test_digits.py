"""scikit-learn's digits are always there, framed and enlarged, and split by their content."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from ganops.data.image_format import ImageFormat
from ganops.data.sources import digits


def test_all_digits_are_there_once_with_their_labels() -> None:
    collected = digits.collect(ImageFormat(32, 1), 0.1)
    assert collected.images.shape == (1797, 1, 32, 32)
    assert collected.labels is not None
    assert (collected.labels == load_digits().target).all()
    assert sorted([*collected.rows["train"], *collected.rows["test"]]) == list(range(1797))
    assert collected.classes == tuple("0123456789")


def test_values_use_the_whole_range_and_the_frame_stays_black() -> None:
    images = digits.collect(ImageFormat(10, 1), 0.1).images  # 8 x 8 and the frame: nothing is resized
    frame = np.ones((10, 10), dtype=bool)
    frame[1:-1, 1:-1] = False
    assert images[:, 0][:, frame].max() == 0
    assert (images[:, 0, 1:-1, 1:-1] == np.rint(load_digits().images * 255 / 16)).all()
    assert images.max() == 255


def test_the_split_is_the_same_at_every_size() -> None:
    small, large = (digits.collect(ImageFormat(size, channels), 0.1) for size, channels in ((8, 1), (32, 3)))
    assert (small.rows["test"] == large.rows["test"]).all()
    assert 0.07 < len(small.rows["test"]) / 1797 < 0.13
