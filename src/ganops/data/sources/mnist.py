"""MNIST and Fashion-MNIST: 60,000 and 10,000 grey images of 28 x 28 pixels in ten classes, in IDX files.

Y. LeCun, C. Cortes, C. Burges: The MNIST database (1998). H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST (2017),
arXiv:1708.07747.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ganops.data.data_root import find_files
from ganops.data.download import download
from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.idx import read_idx
from ganops.data.image_format import ImageFormat, to_formats
from ganops.data.raw_dataset import RawDataset
from ganops.data.sources.source import SOURCES, Source, SourceContext
from ganops.data.spec import IMAGE, LABEL
from ganops.errors import DataError

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
NATURAL = ImageFormat(28, 1)


class IdxSource(Source):
    """A data set in four IDX files with its published split.

    folders: where the files lie in a data root: our own name first, then torchvision's.
    published_as: the class of torchvision.datasets that knows the mirrors and checksums.
    """

    folders: ClassVar[tuple[str, ...]]
    classes: ClassVar[tuple[str, ...]]
    published_as: ClassVar[str]

    def locate(self, roots: Sequence[Path]) -> list[Path] | None:
        """Its four files, plain or gzipped."""
        return find_files(roots, self.folders, NAMES)

    def collect(self, context: SourceContext) -> RawDataset:
        """Both splits, from a data root or else by download."""
        form = context.image_format(NATURAL)
        paths = self.locate(context.roots) or self._download(context.raw)
        train_images, train_labels, test_images, test_labels = (
            read_idx(path, 3 if "images" in path.name else 1) for path in paths
        )
        self._check(paths[:2], train_images, train_labels)
        self._check(paths[2:], test_images, test_labels)
        count = len(train_images)
        return RawDataset(
            fields={
                IMAGE: ImageField(channels=form.channels, size=form.size),
                LABEL: CategoryField(classes=self.classes),
            },
            columns={
                IMAGE: to_formats(np.concatenate([train_images, test_images]), form),
                LABEL: np.concatenate([train_labels, test_labels]).astype(np.int64),
            },
            rows={"train": np.arange(count), "test": np.arange(count, count + len(test_images))},
            split_by="published",
            origin="IDX files",
        )

    def _download(self, raw: Path) -> list[Path]:
        import torchvision.datasets

        published = getattr(torchvision.datasets, self.published_as)
        folder = raw / self.folders[0]
        return [download(published.mirrors, file, md5, folder) for file, md5 in published.resources]

    def _check(self, paths: Sequence[Path], images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        if len(images) != len(labels) or len(images) == 0 or images.shape[1] != images.shape[2]:
            raise DataError(
                f"{paths[0]} and {paths[1]} do not belong together",
                code="source-damaged",
                expected="as many labels as square images",
                found=f"images {images.shape}, labels {labels.shape}",
                action="copy or download both again",
            )
        if labels.max() >= len(self.classes):
            raise DataError(
                f"{paths[1]} is damaged",
                code="source-damaged",
                expected=f"labels below {len(self.classes)}",
                found=str(labels.max()),
                action="copy or download it again",
            )


@SOURCES.add("mnist")
class Mnist(IdxSource):
    """Handwritten digits."""

    folders = ("mnist", "MNIST/raw")
    classes = tuple("0123456789")
    published_as = "MNIST"


@SOURCES.add("fashion-mnist")
class FashionMnist(IdxSource):
    """Pieces of clothing."""

    folders = ("fashion-mnist", "FashionMNIST/raw")
    classes = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )
    published_as = "FashionMNIST"
