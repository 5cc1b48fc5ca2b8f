"""MNIST and Fashion-MNIST keep their published split, whichever of the usual folders they lie in."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from collecting import collect
from numpy.typing import NDArray

from ganops.data.data_root import DATA_HOME_VARIABLE, DEBIAN_HOME
from ganops.data.sources.mnist import NAMES, FashionMnist
from ganops.data.sources.source import find_source
from ganops.errors import DataError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 28, 28), dtype=np.uint8)
LABELS = np.arange(30, dtype=np.uint8) % 10


def write_idx(path: Path, values: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def _as_published(path: Path) -> int:
    return NAMES.index(path.name.removesuffix(".gz"))


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
    tmp_path: Path, name: str, folder: str, suffix: str
) -> None:
    write_small(tmp_path / folder, suffix)
    collected = collect(name, tmp_path / "raw", home=tmp_path)
    images, labels = collected.columns["image"], collected.columns["label"]
    assert (images[collected.rows["train"], 0] == IMAGES[:20]).all()
    assert (images[collected.rows["test"], 0] == IMAGES[20:]).all()
    assert (labels[collected.rows["test"]] == LABELS[20:]).all()
    assert find_source(name).locate([tmp_path]) == sorted((tmp_path / folder).iterdir(), key=_as_published)
    assert find_source(name).locate([tmp_path / "elsewhere"]) is None


def test_files_that_do_not_belong_together_are_an_error(tmp_path: Path) -> None:
    write_small(tmp_path / "mnist")
    write_idx(tmp_path / "mnist" / "train-labels-idx1-ubyte", LABELS)
    with pytest.raises(DataError) as error:
        collect("mnist", tmp_path / "raw", home=tmp_path)
    assert error.value.code == "source-damaged"


def test_labels_beyond_the_classes_are_an_error(tmp_path: Path) -> None:
    write_small(tmp_path / "mnist")
    write_idx(tmp_path / "mnist" / "train-labels-idx1-ubyte", LABELS[:20] + 1)
    with pytest.raises(DataError) as error:
        collect("mnist", tmp_path / "raw", home=tmp_path)
    assert (error.value.code, error.value.found) == ("source-damaged", "10")


def test_without_files_and_network_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody listens there
    monkeypatch.delenv(DATA_HOME_VARIABLE, raising=False)
    with pytest.raises(DataError) as caught:
        collect("mnist", tmp_path / "raw")
    assert caught.value.code == "download-failed"
    assert "train-images-idx3-ubyte.gz" in caught.value.message
    assert str(tmp_path / "raw" / "mnist") in caught.value.action


def test_the_real_mnist(shared_datasets: Path, tmp_path: Path) -> None:
    collected = collect("mnist", tmp_path, home=shared_datasets)
    train = collected.columns["image"][collected.rows["train"]] / 255
    assert train.shape == (60_000, 1, 28, 28)
    assert len(collected.rows["test"]) == 10_000
    assert train.mean() == pytest.approx(0.1307, abs=1e-4)  # the figures everybody normalises MNIST with
    assert train.std() == pytest.approx(0.3081, abs=1e-4)


@pytest.mark.skipif(not (DEBIAN_HOME / "fashion-mnist").is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_debians_fashion_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_HOME_VARIABLE, raising=False)
    collected = collect("fashion-mnist", tmp_path)
    labels = collected.columns["label"]
    assert collected.columns["image"].shape == (70_000, 1, 28, 28)
    assert np.bincount(labels[collected.rows["test"]]).tolist() == [1000] * 10
    first = labels[collected.rows["train"][0]]
    assert FashionMnist.classes[first] == "Ankle boot"  # the published first training image
