"""The real smoke test, in a fresh process, and what it must catch; promotions by two processes at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from small_model import register_small, small_params

from ganops.registry.history import entries
from ganops.registry.load import registered_folder
from ganops.registry.promotion import promote
from ganops.registry.smoke import smoke_test
from ganops.registry.versions import CHAMPION, Versions
from ganops.tracking.store import connect


@pytest.mark.slow
def test_a_working_model_passes_and_becomes_champion(register_version: Callable[..., str]) -> None:
    register_version(fid=10.0)
    result = promote(small_params())
    assert (result.moved, result.failure) == (True, "")


def test_a_model_of_one_grey_is_taken_back(tracking_home: Path) -> None:
    register_small(tracking_home, gain=0.0)
    result = promote(small_params())
    assert (result.moved, result.failure) == (False, "an image has the same value everywhere")
    assert Versions(connect(), "ganops").at(CHAMPION) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("nan", "hold numbers that are not finite"),
        ("missing", "does not hold the weights"),
        ("torn", "does not hold the weights"),
    ],
)
def test_damaged_weights_are_found(tracking_home: Path, damage: str, complaint: str) -> None:
    register_small(tracking_home)
    store = connect()
    weights = registered_folder("models:/ganops/1") / "generator.safetensors"
    tensors = load_file(weights)
    if damage == "nan":
        first = next(iter(tensors))
        tensors[first] = tensors[first] * float("nan")
        save_file(tensors, weights)
    elif damage == "missing":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:-8])
    assert complaint in smoke_test(store, "models:/ganops/1")


@pytest.mark.slow
def test_a_model_that_hangs_is_given_up(register_version: Callable[..., str]) -> None:
    register_version(fid=10.0)
    assert smoke_test(connect(), "models:/ganops/1", seconds=0.2) == "no answer within 0.2 seconds"


@pytest.mark.slow
def test_two_processes_that_promote_at_once_lose_no_entry(
    register_version: Callable[..., str], tracking_home: Path
) -> None:
    register_version(fid=9.0)
    register_version(fid=8.0)
    program = (
        "import sys; from small_model import small_params; from ganops.registry.promotion import promote\n"
        "print(promote(small_params(), sys.argv[1]).moved)"
    )
    environment = {"PYTHONPATH": str(Path(__file__).parent.parent), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, version],
            env=environment,
            cwd=tracking_home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for version in ("1", "2")
    ]
    outputs = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    versions = Versions(connect(), "ganops")
    moved = [version for version, (out, _) in zip("12", outputs, strict=True) if out.strip() == "True"]
    assert versions.at(CHAMPION) == "2", "the better one stays champion, whichever came first"
    assert sorted(entry.version or "" for entry in entries(versions)) == moved
