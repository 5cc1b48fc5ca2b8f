"""Decoding gives the same whatever number of processes does it, and ends well when one of them is killed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from deadly_files import DeadlyFiles
from image_files import png, write_files

from ganops.data.decode import decode
from ganops.data.decoders import Whole
from ganops.data.folder import Folder
from ganops.data.image_format import ImageFormat
from ganops.data.rejection import Reason, Rejection
from ganops.data.workers import CHUNK, Decoded, decode_all
from ganops.errors import DataError

FORM = ImageFormat(8, 3)


def test_each_name_has_one_outcome_whatever_the_number_of_processes(tmp_path: Path) -> None:
    files = {f"{index:03}.png": png(index) for index in range(3 * CHUNK + 5)} | {"002.png": b"text", "090.png": b""}
    folder, names = Folder(write_files(tmp_path, files)), sorted(files)
    alone = dict(decode_all(folder, names, Whole(FORM), processes=1))
    assert list(alone) == list(range(len(names)))
    assert alone[2] == Rejection("002.png", Reason.NOT_AN_IMAGE)
    assert alone[90] == Rejection("090.png", Reason.EMPTY)

    together = list(decode_all(folder, names, Whole(FORM), processes=2))
    assert sorted(index for index, _ in together) == list(range(len(names)))
    for index, outcome in together:
        expected = alone[index]
        if isinstance(expected, Rejection):
            assert outcome == expected
        else:
            assert isinstance(outcome, Decoded)
            assert (outcome.pictures[0] == expected.pictures[0]).all()
            assert (outcome.file_hash, outcome.pixel_hashes) == (expected.file_hash, expected.pixel_hashes)


def test_hashes_are_of_the_file_and_of_the_pixels(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.png": png(1)})
    [(_, outcome)] = decode_all(Folder(tmp_path), ["a.png"], Whole(FORM))
    assert isinstance(outcome, Decoded)
    assert outcome.file_hash == hashlib.sha256(png(1)).digest()
    pixels = np.ascontiguousarray(decode(png(1), FORM)).tobytes()
    assert outcome.pixel_hashes == (hashlib.sha256(pixels).digest(),)


def test_a_killed_process_is_an_error_and_not_a_hang() -> None:
    with pytest.raises(DataError) as error:
        list(decode_all(DeadlyFiles(), ["a.png"] * (2 * CHUNK), Whole(FORM), processes=2))
    assert error.value.code == "decoder-killed"


def test_leaving_early_ends_the_processes(tmp_path: Path) -> None:
    names = [f"{index}.png" for index in range(20 * CHUNK)]
    outcomes = decode_all(Folder(tmp_path), names, Whole(FORM), processes=2)
    next(outcomes)
    outcomes.close()  # returns only when the pool is shut down
    assert list(outcomes) == []


@pytest.mark.parametrize(
    "module", ["ganops.data.workers", "ganops.data.archive", "ganops.data.folder", "pipeline.stages.prepare"]
)
def test_processes_that_decode_need_no_torch(module: str) -> None:
    """torch would cost each of them seconds and some hundred MiB."""
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
