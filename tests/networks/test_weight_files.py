"""Weight files: only the right one is read, and no code in it ever runs."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ganops.errors import ModelError
from ganops.networks.weight_files import load_state, sha256_of


def test_the_right_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.arange(3.0)}, path)
    assert load_state(path, sha256_of(path)[:8])["weight"].tolist() == [0, 1, 2]
    save_file({"weight": torch.arange(3.0)}, tmp_path / "weights.safetensors")
    assert load_state(tmp_path / "weights.safetensors")["weight"].tolist() == [0, 1, 2]


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.arange(3.0)}, path)
    expected = sha256_of(path)[:8]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_state(path, expected)
    assert caught.value.code == "wrong-digest"


class Trap:
    """A pickle of this would write a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (str(self.target),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol 4")
def test_code_in_a_weight_file_never_runs(tmp_path: Path) -> None:
    path, target = tmp_path / "weights.pth", tmp_path / "was here"
    torch.save({"weight": Trap(target)}, path)
    with pytest.raises(ModelError) as caught:
        load_state(path, sha256_of(path)[:8])
    assert caught.value.code == "damaged-file"
    path.write_bytes(pickle.dumps(Trap(target)))
    with pytest.raises(ModelError) as caught:
        load_state(path, sha256_of(path)[:8])
    assert caught.value.code == "damaged-file"
    assert not target.exists()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load_state(tmp_path / "weights.pth", "00")
    assert caught.value.code == "unreadable-file"
