"""MNIST and Fashion-MNIST keep their published split, whichever of the usual folders they lie in."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from ganops.data import home
from ganops.data.data_root import DEBIAN_HOME
from ganops.data.image_format import ImageFormat
from ganops.data.sources import mnist
from ganops.errors import DataError

Name = Literal["mnist", "fashion-mnist"]
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 28, 28), dtype=np.uint8)
LABELS = np.arange(30, dtype=np.uint8) % 10


def write_idx(path: Path, values: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_small(folder: Path, suffix: str = "") -> None:
    """20 images for training and 10 for the test."""
    for name, rows in (("train", slice(0, 20)), ("t10k", slice(20, 30))):
        write_idx(folder / f"{name}-images-idx3-ubyte{suffix}", IMAGES[rows])
        write_idx(folder / f"{name}-labels-idx1-ubyte{suffix}", LABELS[rows])


@pytest.mark.parametrize(
    ("name", "folder", "suffix"),
    [
        ("mnist", "mnist", ".gz"),
        ("mnist", "MNIST/raw", ""),
        ("fashion-mnist", "fashion-mnist", ".gz"),
        ("fashion-mnist", "FashionMNIST/raw", ""),
    ],
)
def test_files_are_found_where_people_and_torchvision_keep_them(
    tmp_path: Path, name: Name, folder: str, suffix: str
) -> None:
    write_small(tmp_path / folder, suffix)
    collected = mnist.collect(name, ImageFormat(28, 1), tmp_path, tmp_path / "raw")
    assert collected.labels is not None
    assert (collected.images[collected.rows["train"], 0] == IMAGES[:20]).all()
    assert (collected.images[collected.rows["test"], 0] == IMAGES[20:]).all()
    assert (collected.labels[collected.rows["test"]] == LABELS[20:]).all()


def test_files_that_do_not_belong_together_are_an_error(tmp_path: Path) -> None:
    write_small(tmp_path / "mnist")
    write_idx(tmp_path / "mnist" / "train-labels-idx1-ubyte", LABELS)
    with pytest.raises(DataError, match="do not belong together"):
        mnist.collect("mnist", ImageFormat(28, 1), tmp_path, tmp_path / "raw")


def test_labels_beyond_the_classes_are_an_error(tmp_path: Path) -> None:
    write_small(tmp_path / "mnist")
    write_idx(tmp_path / "mnist" / "train-labels-idx1-ubyte", LABELS[:20] + 1)
    with pytest.raises(DataError, match="labels below 10"):
        mnist.collect("mnist", ImageFormat(28, 1), tmp_path, tmp_path / "raw")


def test_without_files_and_network_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody listens there
    monkeypatch.delenv(home.DATA_HOME_VARIABLE, raising=False)
    with pytest.raises(DataError) as caught:
        mnist.collect("mnist", ImageFormat(28, 1), None, tmp_path / "raw")
    assert "train-images-idx3-ubyte.gz" in caught.value.message
    assert str(tmp_path / "raw" / "mnist") in caught.value.action


def test_the_real_mnist(shared_datasets: Path, tmp_path: Path) -> None:
    collected = mnist.collect("mnist", ImageFormat(28, 1), shared_datasets, tmp_path)
    train = collected.images[collected.rows["train"]] / 255
    assert train.shape == (60_000, 1, 28, 28)
    assert len(collected.rows["test"]) == 10_000
    assert train.mean() == pytest.approx(0.1307, abs=1e-4)  # the figures everybody normalises MNIST with
    assert train.std() == pytest.approx(0.3081, abs=1e-4)


@pytest.mark.skipif(not (DEBIAN_HOME / "fashion-mnist").is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_debians_fashion_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(home.DATA_HOME_VARIABLE, raising=False)
    collected = mnist.collect("fashion-mnist", ImageFormat(28, 1), None, tmp_path)
    assert collected.images.shape == (70_000, 1, 28, 28)
    assert collected.labels is not None
    assert np.bincount(collected.labels[collected.rows["test"]]).tolist() == [1000] * 10
    first = collected.labels[collected.rows["train"][0]]
    assert collected.classes[first] == "Ankle boot"  # the published first training image
