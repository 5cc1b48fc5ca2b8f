"""Packed images come back as they were written, and a file that cannot be written or read is an error that names it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ganops.data.packed import PackedImages, read_packed, split_path, write_packed
from ganops.errors import DataError

IMAGES = torch.arange(50 * 3 * 8 * 8).reshape(50, 3, 8, 8).to(torch.uint8)
LABELS = torch.arange(50) % 10


def test_images_and_labels_come_back(tmp_path: Path) -> None:
    write_packed(tmp_path, "train", PackedImages(IMAGES, LABELS))
    write_packed(tmp_path, "test", PackedImages(IMAGES[:5]))
    train, test = read_packed(tmp_path, "train"), read_packed(tmp_path, "test")
    assert torch.equal(train.images, IMAGES)
    assert train.labels is not None
    assert torch.equal(train.labels, LABELS)
    assert torch.equal(test.images, IMAGES[:5])
    assert test.labels is None


def test_a_missing_file_says_which_stage_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="dvc repro prepare"):
        read_packed(tmp_path, "train")


def test_a_torn_file_is_an_error(tmp_path: Path) -> None:
    write_packed(tmp_path, "train", PackedImages(IMAGES, LABELS))
    path = split_path(tmp_path, "train")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="cannot be read"):
        read_packed(tmp_path, "train")


@pytest.mark.parametrize(
    "images", [IMAGES.float(), IMAGES[0], IMAGES[:, :2]], ids=["float", "one image", "two channels"]
)
def test_other_forms_are_refused(images: torch.Tensor) -> None:
    with pytest.raises(DataError, match="wrong form"):
        PackedImages(images)


def test_labels_of_other_images_are_refused() -> None:
    with pytest.raises(DataError, match="do not belong together"):
        PackedImages(IMAGES, LABELS[:-1])


def test_a_full_disk_is_an_error_and_the_former_file_stays(tmp_path: Path, tiny_files: None) -> None:
    write_packed(tmp_path, "train", PackedImages(IMAGES[:2]))
    with pytest.raises(DataError, match="cannot be written"):
        write_packed(tmp_path, "train", PackedImages(IMAGES))
    assert len(read_packed(tmp_path, "train")) == 2
    assert [path.name for path in (tmp_path / "train").iterdir()] == ["images.safetensors"]


@pytest.fixture
def tiny_files() -> Iterator[None]:
    """No file may grow beyond 4 KiB, which a full disk does not allow either."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_some_images_are_drawn_by_the_seed_with_their_labels() -> None:
    numbered = torch.arange(50, dtype=torch.uint8)[:, None, None, None].expand(50, 1, 8, 8)
    few = PackedImages(numbered, LABELS).some(20, seed=3)
    rows = few.images[:, 0, 0, 0].tolist()
    assert len(set(rows)) == 20
    assert few.labels is not None
    assert few.labels.tolist() == [row % 10 for row in rows]
    assert torch.equal(PackedImages(numbered).some(20, seed=3).images, few.images)
    assert not torch.equal(PackedImages(numbered).some(20, seed=4).images, few.images)


def test_more_images_than_there_are_is_an_error() -> None:
    with pytest.raises(DataError, match="fewer training images than the recipe wants"):
        PackedImages(IMAGES).some(51, seed=0)
