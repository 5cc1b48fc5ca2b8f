"""Stacked MNIST: every channel is one of MNIST's digits, and the class is the number that the three spell."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ganops.data.image_format import ImageFormat
from ganops.data.sources import stacked_mnist
from ganops.errors import SettingsError
from ganops.params import DataParams
from ganops.settings import validate

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
    collected = stacked_mnist.collect(ImageFormat(8, 3), home, tmp_path)
    assert collected.labels is not None
    assert collected.classes == tuple(f"{number:03}" for number in range(1000))
    assert collected.channel_classes == tuple("0123456789")
    assert {split: len(rows) for split, rows in collected.rows.items()} == {"train": 128_000, "test": 26_000}
    for split, more in (("train", 0), ("test", 1)):  # no test digit is shown in training
        rows = collected.rows[split]
        assert (collected.images[rows] == collected.images[rows, :, :1, :1]).all()
        brightness = collected.images[rows, :, 0, 0].astype(int)
        assert (brightness @ (100, 10, 1) == 10 * collected.labels[rows] + 111 * more).all()
    counts = np.bincount(collected.labels[collected.rows["train"]], minlength=1000)
    assert np.abs(counts - 128).max() < 5 * 128**0.5  # five standard deviations of counts that chance alone decides


def test_the_same_images_every_time(home: Path, tmp_path: Path) -> None:
    once, again = (stacked_mnist.collect(ImageFormat(8, 3), home, tmp_path) for _ in range(2))
    assert (once.images == again.images).all()
    assert once.labels is not None
    assert once.classes[once.labels[0]] == "799"  # what the seed drew when the data set was made


def test_one_channel_is_an_error() -> None:
    values = {"source": "stacked-mnist", "image_size": 28, "channels": 1, "test_share": 0.2, "max_rejected": 0.0}
    with pytest.raises(SettingsError, match=r"data\.channels: 3"):
        validate(DataParams, values, "params.yaml")
