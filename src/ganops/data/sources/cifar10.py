"""CIFAR-10: 50,000 and 10,000 colour images of 32 x 32 pixels in ten classes, from its binary version.

A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images (2009). The python version consists of pickles,
which may run code when they are loaded, and is never read.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganops.data.data_root import find_files
from ganops.data.download import download
from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.image_format import ImageFormat, to_formats
from ganops.data.raw_dataset import RawDataset
from ganops.data.sources.source import SOURCES, Source, SourceContext
from ganops.data.spec import IMAGE, LABEL
from ganops.errors import DataError

MIRRORS = ("https://www.cs.toronto.edu/~kriz/",)
ARCHIVE = "cifar-10-binary.tar.gz"
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
UNPACKED = "cifar-10-batches-bin"
TRAIN_BATCHES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_BATCH = "test_batch.bin"
BATCHES = (*TRAIN_BATCHES, TEST_BATCH)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
NATURAL = ImageFormat(SIDE, 3)
RECORD = 1 + 3 * SIDE * SIDE  # bytes: the label, then the red, green and blue plane


@SOURCES.add("cifar10")
class Cifar10(Source):
    """The data set with its published split: unpacked or as tar.gz from a data root, else by download."""

    def locate(self, roots: Sequence[Path]) -> list[Path] | None:
        """Its six batches, or else the archive of them."""
        unpacked = find_files(roots, (UNPACKED, f"cifar10/{UNPACKED}", "cifar10"), BATCHES)
        return unpacked or find_files(roots, (".", "cifar10"), (ARCHIVE,))

    def collect(self, context: SourceContext) -> RawDataset:
        """Both splits."""
        form = context.image_format(NATURAL)
        paths = self.locate(context.roots) or [download(MIRRORS, ARCHIVE, ARCHIVE_MD5, context.raw / "cifar10")]
        unpacked = len(paths) == len(BATCHES)
        contents = {path.name: path.read_bytes() for path in paths} if unpacked else dict(_members(paths[0]))
        records = [_records(name, contents.get(name, b"")) for name in BATCHES]
        count = sum(len(batch) for batch in records[:-1])
        together = np.concatenate(records)
        planes = together[:, 1:].reshape(-1, 3, SIDE, SIDE)
        return RawDataset(
            fields={IMAGE: ImageField(channels=form.channels, size=form.size), LABEL: CategoryField(classes=CLASSES)},
            columns={
                IMAGE: to_formats(planes.transpose(0, 2, 3, 1), form),
                LABEL: together[:, 0].astype(np.int64),
            },
            rows={"train": np.arange(count), "test": np.arange(count, len(together))},
            split_by="published",
            origin="binary version",
        )


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The batches inside the tar file, by bare name; nothing is unpacked to disk, so no entry can point outside."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() and member.name.endswith(".bin") else None
                if file is not None:
                    yield Path(member.name).name, file.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{archive} is damaged",
            code="source-damaged",
            found=str(error),
            action="copy it again, or remove it to have it downloaded again",
        ) from error


def _records(name: str, content: bytes) -> NDArray[np.uint8]:
    if not content or len(content) % RECORD:
        raise DataError(
            f"CIFAR-10's {name} is damaged or missing",
            code="source-damaged",
            expected=f"a multiple of {RECORD:,} bytes",
            found=f"{len(content):,} bytes",
            action=f"extract it from {ARCHIVE} again",
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD)
    if records[:, 0].max() >= len(CLASSES):
        raise DataError(
            f"CIFAR-10's {name} is damaged",
            code="source-damaged",
            expected=f"labels below {len(CLASSES)}",
            found=str(records[:, 0].max()),
            action=f"extract it from {ARCHIVE} again",
        )
    return records
