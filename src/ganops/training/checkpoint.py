"""Checkpoints without pickle: tensors in safetensors, the rest and the digest of both in JSON, written last."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ganops.atomic import write_text
from ganops.data.tensor_file import save_tensors
from ganops.errors import TrainingError
from ganops.file_digest import file_sha256

KEPT = 2


@dataclass(frozen=True)
class Checkpoint:
    """Everything that training needs to resume after a step.

    tensors: by name; facts: JSON values (curves so far, state of the health checks).
    """

    step: int
    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def write_checkpoint(folder: Path, checkpoint: Checkpoint, healthy: int = 0) -> None:
    """Write a checkpoint and remove all but the last two, and the last one up to the step `healthy`.

    The JSON file is written after the tensors and carries the sha256 of them and of its facts: a checkpoint without it,
    or with another digest, is invalid. When the disk is full the older checkpoints stay valid and TrainingError says
    how much space is needed.
    """
    tensors_path, facts_path = _paths(folder, checkpoint.step)
    needed = sum(tensor.numel() * tensor.element_size() for tensor in checkpoint.tensors.values())
    try:
        save_tensors(tensors_path, checkpoint.tensors)
        digest = _digest(tensors_path, checkpoint.facts)
        write_text(facts_path, json.dumps({"step": checkpoint.step, "sha256": digest, "facts": checkpoint.facts}))
    except (OSError, SafetensorError) as error:
        for path in (tensors_path, facts_path):
            path.unlink(missing_ok=True)
        raise TrainingError(
            f"the checkpoint of step {checkpoint.step} could not be written to {folder}; the previous one is valid",
            code="checkpoint-not-written",
            expected=f"{needed / 1e6:.1f} MB of free space",
            found=f"{shutil.disk_usage(folder).free / 1e6:.1f} MB free ({error})",
            action="free some space and run the same command again: training resumes from the last checkpoint",
        ) from error
    steps = checkpoint_steps(folder)
    kept = {*steps[-KEPT:], max((step for step in steps if step <= healthy), default=0)}
    for step in steps:
        if step not in kept:
            remove_checkpoint(folder, step)


def read_checkpoints(folder: Path, device: str = "cpu") -> Iterator[Checkpoint | str]:
    """Yield the checkpoints from the newest to the oldest; for a damaged one, a sentence that says why."""
    for step in reversed(checkpoint_steps(folder)):
        tensors_path, facts_path = _paths(folder, step)
        try:
            description = json.loads(facts_path.read_text(encoding="utf-8"))
            if _digest(tensors_path, description["facts"]) != description["sha256"]:
                yield f"the checkpoint of step {step} is damaged (its digest differs)"
                continue
            yield Checkpoint(step, load_file(tensors_path, device=device), description["facts"])
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            yield f"the checkpoint of step {step} is damaged ({error})"


def remove_checkpoint(folder: Path, step: int) -> None:
    """Remove one checkpoint; its description goes first, so that a partly removed one never counts."""
    for path in reversed(_paths(folder, step)):
        path.unlink(missing_ok=True)


def flatten(state: Mapping[str, Any], prefix: str = "") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Split a nested state dict (an optimiser's, say) into tensors by dotted name and a JSON skeleton.

    In the skeleton a tensor is {"$tensor": name}; mappings are lists of pairs, since JSON keys are strings only.
    """
    tensors: dict[str, Tensor] = {}

    def walk(value: Any, name: str) -> Any:
        if isinstance(value, Tensor):
            tensors[name] = value
            return {"$tensor": name}
        if isinstance(value, Mapping):
            return {"$map": [[key, walk(item, f"{name}.{key}")] for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            return {"$list": [walk(item, f"{name}.{index}") for index, item in enumerate(value)]}
        return value

    return tensors, walk(state, prefix)


def unflatten(skeleton: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The inverse of `flatten`; lists come back as lists."""
    if isinstance(skeleton, dict):
        if "$tensor" in skeleton:
            return tensors[skeleton["$tensor"]]
        if "$list" in skeleton:
            return [unflatten(item, tensors) for item in skeleton["$list"]]
        return {key: unflatten(item, tensors) for key, item in skeleton["$map"]}
    return skeleton


def forget(folder: Path) -> None:
    """Remove all checkpoints of a training that is complete."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def checkpoint_steps(folder: Path) -> list[int]:
    """Steps that have a checkpoint, ascending."""
    names = (path.stem.removeprefix("step-") for path in folder.glob("step-*.json"))
    return sorted(int(name) for name in names if name.isdecimal())


def _digest(tensors: Path, facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{file_sha256(tensors)}{json.dumps(facts)}".encode()).hexdigest()


def _paths(folder: Path, step: int) -> tuple[Path, Path]:
    name = f"step-{step:09d}"
    return folder / f"{name}.safetensors", folder / f"{name}.json"
