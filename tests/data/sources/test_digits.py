"""scikit-learn's digits are always there, framed and enlarged, and split by their content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from collecting import collect
from sklearn.datasets import load_digits

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField


def test_all_digits_are_there_once_with_their_labels(tmp_path: Path) -> None:
    collected = collect("digits", tmp_path)
    assert collected.columns["image"].shape == (1797, 1, 32, 32)
    assert (collected.columns["label"] == load_digits().target).all()
    assert sorted([*collected.rows["train"], *collected.rows["test"]]) == list(range(1797))
    assert collected.fields == {
        "image": ImageField(channels=1, size=32),
        "label": CategoryField(classes=tuple("0123456789")),
    }


def test_values_use_the_whole_range_and_the_frame_stays_black(tmp_path: Path) -> None:
    images = collect("digits", tmp_path, image_size=10).columns["image"]  # 8 x 8 and the frame: nothing is resized
    frame = np.ones((10, 10), dtype=bool)
    frame[1:-1, 1:-1] = False
    assert images[:, 0][:, frame].max() == 0
    assert (images[:, 0, 1:-1, 1:-1] == np.rint(load_digits().images * 255 / 16)).all()
    assert images.max() == 255


def test_the_split_is_the_same_at_every_size(tmp_path: Path) -> None:
    small = collect("digits", tmp_path, image_size=8, test_share=0.1)
    large = collect("digits", tmp_path, image_size=32, channels=3, test_share=0.1)
    assert (small.rows["test"] == large.rows["test"]).all()
    assert 0.07 < len(small.rows["test"]) / 1797 < 0.13
