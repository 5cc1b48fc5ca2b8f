"""A disk that is full while tensors are written is an OSError that names the file, whoever writes it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from ganops.data import tensor_file
from ganops.data.tensor_file import map_tensors, save_tensors


def test_a_full_disk_is_an_error_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    save_tensors(tmp_path / "a.safetensors", {"a": torch.ones(2)})
    monkeypatch.setattr(tensor_file, "save_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        save_tensors(tmp_path / "a.safetensors", {"a": torch.zeros(2)})
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "a.safetensors"))
    assert map_tensors(tmp_path / "a.safetensors")["a"].tolist() == [1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]
