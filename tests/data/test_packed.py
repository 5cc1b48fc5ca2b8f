"""Packed rows come back as they were written, and a file that cannot be written or read is an error that names it."""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_training import run, shrunk

from ganops.data import packed
from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.fields.image import ImageField
from ganops.data.packed import read_packed, split_path, subsample, write_packed
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import DataError
from ganops.params import TrainParams
from ganops.training.job import TrainingJob

IMAGES = torch.arange(50 * 3 * 8 * 8).reshape(50, 3, 8, 8).to(torch.uint8)
LABELS = torch.arange(50) % 10
ROWS = Rows({"image": IMAGES, "label": LABELS})
FIELDS: dict[str, Field] = {
    "image": ImageField(channels=3, size=8),
    "label": CategoryField(classes=tuple("0123456789")),
}


def test_columns_come_back_in_their_order(tmp_path: Path) -> None:
    write_packed(tmp_path, "train", ROWS, FIELDS)
    write_packed(tmp_path, "test", ROWS.only(["image"]).select(slice(0, 0)), {"image": FIELDS["image"]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train, test = read_packed(tmp_path, "train"), read_packed(tmp_path, "test")
    assert list(train) == ["image", "label"]
    assert all(torch.equal(train[name], ROWS[name]) for name in ROWS)
    assert list(test) == ["image"]
    assert test["image"].shape == (0, 3, 8, 8)


@pytest.mark.parametrize("piece_bytes", [1, 500, 2**20])
def test_the_file_is_one_that_safetensors_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr(packed, "PIECE_BYTES", piece_bytes)
    write_packed(tmp_path, "train", ROWS, FIELDS)
    loaded = load_file(split_path(tmp_path, "train"))
    assert all(torch.equal(loaded[name], ROWS[name]) for name in ROWS)


def test_a_file_that_safetensors_wrote_is_read(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    save_file(dict(ROWS), split_path(tmp_path, "train"), metadata={"a": "b"})
    assert torch.equal(read_packed(tmp_path, "train")["image"], IMAGES)


def test_a_missing_file_says_which_stage_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read_packed(tmp_path, "train")
    assert error.value.code == "packed-missing"
    assert "dvc repro prepare" in error.value.action


DAMAGED = {
    "cut": lambda content: content[:-1],
    "empty": lambda content: b"",
    "cut in the header": lambda content: content[:20],
    "no header": lambda content: bytes(range(1, 251)),
    "a list as header": lambda content: struct.pack("<Q", 2) + b"[]",
    "a header without columns": lambda content: struct.pack("<Q", 2) + b"{}",
    "unknown type": lambda content: content.replace(b'"U8"', b'"X8"'),
    "columns of different lengths": lambda content: content.replace(b'"shape":[50]', b'"shape":[49]'),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_an_error(tmp_path: Path, damage: str) -> None:
    write_packed(tmp_path, "train", ROWS, FIELDS)
    path = split_path(tmp_path, "train")
    path.write_bytes(DAMAGED[damage](path.read_bytes()))
    with pytest.raises(DataError) as error:
        read_packed(tmp_path, "train")
    assert error.value.code == "packed-unreadable"
    assert str(path) in error.value.message


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (Rows({"image": IMAGES.float(), "label": LABELS}), "column-mismatch"),
        (Rows({"image": IMAGES[:, :2], "label": LABELS}), "column-mismatch"),
        (Rows({"image": IMAGES, "label": LABELS + 1}), "bad-label"),
    ],
)
def test_columns_that_are_not_those_of_the_fields_are_refused(tmp_path: Path, rows: Rows, code: str) -> None:
    with pytest.raises(DataError) as error:
        write_packed(tmp_path, "train", rows, FIELDS)
    assert error.value.code == code
    assert not split_path(tmp_path, "train").exists()


def test_a_full_disk_is_an_error_and_the_former_file_stays(tmp_path: Path, tiny_files: None) -> None:
    write_packed(tmp_path, "train", ROWS.select(slice(0, 2)), FIELDS)
    with pytest.raises(DataError) as error:
        write_packed(tmp_path, "train", ROWS, FIELDS)
    assert error.value.code == "packed-unwritable"
    assert len(read_packed(tmp_path, "train")) == 2
    assert [path.name for path in (tmp_path / "train").iterdir()] == ["rows.safetensors"]


@pytest.fixture
def tiny_files() -> Iterator[None]:
    """No file may grow beyond 4 KiB, which a full disk does not allow either."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


SIDE = 256


@pytest.fixture
def larger_than_memory(tmp_path: Path) -> Rows:
    """Images of which the first ten bytes are 1, the last ten bytes 2, and all others a hole in the file."""
    count = int(1.5 * (psutil.virtual_memory().total + psutil.swap_memory().total)) // (3 * SIDE**2)
    size = count * 3 * SIDE**2
    header = json.dumps({"image": {"dtype": "U8", "shape": [count, 3, SIDE, SIDE], "data_offsets": [0, size]}}).encode()
    path = split_path(tmp_path, "train")
    path.parent.mkdir()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.write(b"\1" * 10)
        try:
            file.truncate(8 + len(header) + size)  # a hole, which takes no space on the disk
        except OSError:
            pytest.skip("this file system has no files of that size")
        file.seek(-10, os.SEEK_END)
        file.write(b"\2" * 10)
    rows = read_packed(tmp_path, "train")
    assert len(rows) == count
    return rows


def test_a_file_larger_than_memory_and_swap_is_read_where_it_is_needed(larger_than_memory: Rows) -> None:
    """A private map of such a file is refused by the system."""
    first, last = larger_than_memory.select(torch.tensor([0, len(larger_than_memory) - 1]))["image"]
    assert first.flatten()[:11].tolist() == [1] * 10 + [0]
    assert last.flatten()[-11:].tolist() == [0] + [2] * 10


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux only")
def test_a_training_on_it_takes_the_memory_of_its_batches(larger_than_memory: Rows, tmp_path: Path) -> None:
    """The images are scaled to the recipe's size batch by batch."""
    spec = DataSpec(fields={"image": ImageField(channels=3, size=SIDE)})
    recipe = shrunk("mlp", kimg=0.064, image_size=8)
    job = TrainingJob("test", recipe, TrainParams(device="cpu", compile="never"), 0, spec, "huge")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    trainer = run(job.build([larger_than_memory], tmp_path / "checkpoints"))
    assert trainer.step == trainer.plan.steps == 4
    taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024  # MiB, imports included
    assert taken < 1024


def test_a_subsample_is_drawn_by_the_seed_and_keeps_rows_together() -> None:
    numbered = Rows({"image": torch.arange(50, dtype=torch.uint8)[:, None], "label": LABELS})
    few = subsample(numbered, 20, seed=3)
    rows = few["image"][:, 0].tolist()
    assert len(set(rows)) == 20
    assert few["label"].tolist() == [row % 10 for row in rows]
    assert torch.equal(subsample(numbered.only(["image"]), 20, seed=3)["image"], few["image"])
    assert not torch.equal(subsample(numbered, 20, seed=4)["image"], few["image"])


def test_a_subsample_larger_than_the_split_is_an_error() -> None:
    with pytest.raises(DataError) as error:
        subsample(ROWS, 51, seed=0)
    assert (error.value.code, error.value.found) == ("too-few-rows", "50")
