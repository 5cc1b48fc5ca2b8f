"""Checkpoints are complete or invalid; a damaged newest one falls back; nothing of the state is lost."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from ganops.errors import TrainingError
from ganops.training.checkpoint import (
    Checkpoint,
    checkpoint_steps,
    flatten,
    read_checkpoints,
    unflatten,
    write_checkpoint,
)


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(step, {"weight": torch.full((1000,), float(step))}, {"history": [{"loss": step / 3}]})


def newest(folder: Path) -> Checkpoint | None:
    return next((found for found in read_checkpoints(folder) if isinstance(found, Checkpoint)), None)


def test_what_was_written_is_read_and_only_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 10):
        write_checkpoint(tmp_path, checkpoint(step))
    found = list(read_checkpoints(tmp_path))
    assert [item.step for item in found if isinstance(item, Checkpoint)] == [10, 2]
    read = newest(tmp_path)
    assert read is not None
    assert torch.equal(read.tensors["weight"], torch.full((1000,), 10.0))
    assert read.facts == {"history": [{"loss": 10 / 3}]}
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "gone"])
def test_a_damaged_newest_one_falls_back_to_the_previous_one_with_a_reason(
    tmp_path: Path, suffix: str, damage: str
) -> None:
    write_checkpoint(tmp_path, checkpoint(1))
    write_checkpoint(tmp_path, checkpoint(2))
    path = tmp_path / f"step-000000002{suffix}"
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "flipped":
        path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    found = list(read_checkpoints(tmp_path))
    read = newest(tmp_path)
    assert read is not None
    assert read.step == 1
    if (suffix, damage) != (".json", "gone"):  # without its description it was never finished
        assert isinstance(found[0], str)
        assert "step 2" in found[0]


def test_a_changed_number_among_the_facts_is_found(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, checkpoint(3))
    path = tmp_path / "step-000000003.json"
    path.write_text(path.read_text().replace('"loss": 1.0', '"loss": 9.0'))
    assert newest(tmp_path) is None


def test_files_of_other_names_do_not_count(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, checkpoint(1))
    (tmp_path / "step-copy.json").touch()
    assert checkpoint_steps(tmp_path) == [1]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The kernel refuses to let a file grow beyond `size` bytes, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_old_one_whole_and_says_how_much_is_needed(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, checkpoint(1))
    with largest_file(2000), pytest.raises(TrainingError) as full:
        write_checkpoint(tmp_path, checkpoint(2))
    assert full.value.code == "checkpoint-not-written"
    assert full.value.expected == "0.0 MB of free space"
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step-000000001.json", "step-000000001.safetensors"]
    read = newest(tmp_path)
    assert read is not None
    assert read.step == 1


def test_a_nested_state_comes_back_as_it_was() -> None:
    state = {
        "state": {0: {"step": torch.tensor(3.0)}, 1: {}},
        "groups": [{"lr": 2e-4, "betas": [0.5, 0.999], "maximize": False, "none": None}],
        "nan": float("nan"),
    }
    tensors, facts = flatten(state)
    assert list(tensors) == [".state.0.step"]
    back = unflatten(facts, tensors)
    assert torch.equal(back["state"][0]["step"], torch.tensor(3.0))
    assert back["state"][1] == {}
    assert back["groups"] == state["groups"]
