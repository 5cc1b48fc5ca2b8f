"""Stacked MNIST: every channel is one of MNIST's digits, and the class is the number that the three spell."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from collecting import collect
from numpy.typing import NDArray

from ganops.data.fields.category import CategoryField
from ganops.errors import SettingsError

DIGITS = np.arange(40, dtype=np.uint8) % 10


def write_idx(path: Path, values: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 training digits and 40 test digits, each of one brightness: ten times the digit, one more in the test."""
    folder = tmp_path_factory.mktemp("home")
    for split, more in (("train", 0), ("t10k", 1)):
        pixels = np.broadcast_to((10 * DIGITS + more)[:, None, None], (40, 8, 8)).astype(np.uint8)
        write_idx(folder / "mnist" / f"{split}-images-idx3-ubyte", pixels)
        write_idx(folder / "mnist" / f"{split}-labels-idx1-ubyte", DIGITS)
    return folder


def test_channels_are_digits_and_the_class_is_their_number(home: Path, tmp_path: Path) -> None:
    collected = collect("stacked-mnist", tmp_path, home=home, image_size=8)
    images, labels, label = collected.columns["image"], collected.columns["label"], collected.fields["label"]
    assert isinstance(label, CategoryField)
    assert label.classes == tuple(f"{number:03}" for number in range(1000))
    assert label.channel_classes == tuple("0123456789")
    assert {split: len(rows) for split, rows in collected.rows.items()} == {"train": 128_000, "test": 26_000}
    for split, more in (("train", 0), ("test", 1)):  # no test digit is shown in training
        rows = collected.rows[split]
        assert (images[rows] == images[rows, :, :1, :1]).all()
        brightness = images[rows, :, 0, 0].astype(int)
        assert (brightness @ (100, 10, 1) == 10 * labels[rows] + 111 * more).all()
    counts = np.bincount(labels[collected.rows["train"]], minlength=1000)
    assert np.abs(counts - 128).max() < 5 * 128**0.5  # five standard deviations of counts that chance alone decides


def test_the_same_images_every_time(home: Path, tmp_path: Path) -> None:
    once, again = (collect("stacked-mnist", tmp_path, home=home, image_size=8) for _ in range(2))
    assert (once.columns["image"] == again.columns["image"]).all()
    assert once.columns["label"][0] == 799  # what the seed drew when the data set was made


def test_one_channel_is_an_error(home: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        collect("stacked-mnist", tmp_path, home=home, channels=1)
    assert error.value.code == "channels-mismatch"
