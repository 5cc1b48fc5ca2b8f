"""CIFAR-10's binary version is read unpacked or as tar.gz, and its pickles never are."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from collecting import collect
from image_files import write_files

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.sources import cifar10
from ganops.data.sources.cifar10 import ARCHIVE, RECORD, TEST_BATCH, TRAIN_BATCHES, UNPACKED
from ganops.errors import DataError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
LABELS = np.arange(12, dtype=np.uint8) % 10


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return os.mkdir, (self.folder,)


def small_batches() -> dict[str, bytes]:
    """Two images in each of the five training batches and in the test batch."""
    records = np.concatenate([LABELS[:, None], IMAGES.reshape(12, -1)], axis=1)
    names = (*TRAIN_BATCHES, TEST_BATCH)
    return {name: records[2 * index : 2 * index + 2].tobytes() for index, name in enumerate(names)}


def write_tar(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def assert_small(home: Path) -> None:
    collected = collect("cifar10", home / "raw", home=home)
    images = collected.columns["image"]
    assert (images[collected.rows["train"]] == IMAGES[:10]).all()
    assert (images[collected.rows["test"]] == IMAGES[10:]).all()
    assert (collected.columns["label"] == LABELS).all()
    assert collected.fields["image"] == ImageField(channels=3, size=32)
    assert collected.fields["label"] == CategoryField(classes=cifar10.CLASSES)


@pytest.mark.parametrize("folder", [UNPACKED, f"cifar10/{UNPACKED}", "cifar10"])
def test_unpacked_batches_are_found(tmp_path: Path, folder: str) -> None:
    write_files(tmp_path / folder, small_batches())
    assert_small(tmp_path)


@pytest.mark.parametrize("folder", [".", "cifar10"])
def test_the_tar_file_is_read_without_unpacking(tmp_path: Path, folder: str) -> None:
    write_tar(tmp_path / folder / ARCHIVE, {f"{UNPACKED}/{name}": content for name, content in small_batches().items()})
    assert_small(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [ARCHIVE]


def test_entries_that_point_outside_write_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_tar(
        home / ARCHIVE, {f"{UNPACKED}/{n}": c for n, c in small_batches().items()} | {"../evil.bin": b"x" * RECORD}
    )
    assert_small(home)
    assert not (tmp_path / "evil.bin").exists()


def test_a_cut_tar_file_is_an_error(tmp_path: Path) -> None:
    write_tar(tmp_path / ARCHIVE, small_batches())
    content = (tmp_path / ARCHIVE).read_bytes()
    (tmp_path / ARCHIVE).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError) as error:
        collect("cifar10", tmp_path, home=tmp_path)
    assert error.value.code == "source-damaged"


@pytest.mark.parametrize(
    "content", [b"", bytes(RECORD - 1), b"\x0b" + bytes(RECORD - 1)], ids=["empty", "cut", "label"]
)
def test_damaged_batches_are_errors(tmp_path: Path, content: bytes) -> None:
    write_files(tmp_path / UNPACKED, small_batches() | {"data_batch_3.bin": content})
    with pytest.raises(DataError) as error:
        collect("cifar10", tmp_path, home=tmp_path)
    assert error.value.code == "source-damaged"
    assert "data_batch_3.bin" in error.value.message


def test_the_pickled_version_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "MIRRORS", ("http://127.0.0.1:9/",))  # nobody listens there
    content = pickle.dumps(Trap(tmp_path / "sprung"))
    batches = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
    write_files(tmp_path / "cifar-10-batches-py", dict.fromkeys(batches, content))
    with pytest.raises(DataError) as error:
        collect("cifar10", tmp_path / "raw", home=tmp_path)
    assert error.value.code == "download-failed"
    assert not (tmp_path / "sprung").exists()
