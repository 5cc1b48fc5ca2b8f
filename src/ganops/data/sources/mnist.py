"""MNIST and Fashion-MNIST: 60,000 and 10,000 grey images of 28 x 28 pixels in ten classes, in IDX files.

Y. LeCun, C. Cortes, C. Burges: The MNIST database (1998). H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST (2017),
arXiv:1708.07747.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ganops.data.data_root import data_roots, find_files
from ganops.data.download import download
from ganops.data.idx import read_idx
from ganops.data.image_format import ImageFormat, to_formats
from ganops.data.raw_dataset import RawDataset
from ganops.errors import DataError

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True)
class _DataSet:
    """folders: where its files lie in a data home, first our own name, then torchvision's."""

    folders: tuple[str, ...]
    classes: tuple[str, ...]


DATA_SETS = {
    "mnist": _DataSet(("mnist", "MNIST/raw"), tuple("0123456789")),
    "fashion-mnist": _DataSet(
        ("fashion-mnist", "FashionMNIST/raw"),
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
}


def find(name: Literal["mnist", "fashion-mnist"], homes: Sequence[Path]) -> list[Path] | None:
    """Its four files, where one of the data homes has them all."""
    return find_files(homes, DATA_SETS[name].folders, NAMES)


def collect(name: Literal["mnist", "fashion-mnist"], form: ImageFormat, home: Path | None, raw: Path) -> RawDataset:
    """The data set with its published split, from a data home or else by download into `raw`."""
    data_set = DATA_SETS[name]
    paths = find(name, data_roots(home, raw)) or _download(name, raw / data_set.folders[0])
    train_images, train_labels, test_images, test_labels = (
        read_idx(path, 3 if "images" in path.name else 1) for path in paths
    )
    _check(paths[:2], train_images, train_labels, len(data_set.classes))
    _check(paths[2:], test_images, test_labels, len(data_set.classes))
    count = len(train_images)
    return RawDataset(
        images=to_formats(np.concatenate([train_images, test_images]), form),
        labels=np.concatenate([train_labels, test_labels]).astype(np.int64),
        rows={"train": np.arange(count), "test": np.arange(count, count + len(test_images))},
        classes=data_set.classes,
        split_by="published",
        origin="IDX files",
    )


def _download(name: Literal["mnist", "fashion-mnist"], folder: Path) -> list[Path]:
    from torchvision.datasets import MNIST, FashionMNIST

    published = MNIST if name == "mnist" else FashionMNIST
    return [download(published.mirrors, file, md5, folder) for file, md5 in published.resources]


def _check(paths: Sequence[Path], images: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int) -> None:
    if len(images) != len(labels) or len(images) == 0 or images.shape[1] != images.shape[2]:
        raise DataError(
            f"{paths[0]} and {paths[1]} do not belong together",
            expected="as many labels as square images",
            found=f"images {images.shape}, labels {labels.shape}",
            action="copy or download both again",
        )
    if labels.max() >= classes:
        raise DataError(f"{paths[1]} is damaged", expected=f"labels below {classes}", found=str(labels.max()))
