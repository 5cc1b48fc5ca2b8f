"""The real smoke test, in a fresh process, and what it must catch; promotions by two processes at once."""

from __future__ import annotations

import hashlib
import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from forks import Fork
from safetensors.torch import load_file, save_file
from small_model import register_small, small_params
from tracked_processes import promote_version

from ganops.games.saved import digest_of
from ganops.registry import smoke
from ganops.registry.history import entries
from ganops.registry.load import package_digest, registered, registered_folder
from ganops.registry.promotion import promote
from ganops.registry.smoke import smoke_test
from ganops.registry.versions import CHAMPION, CONTENT, PACKAGE, Versions
from ganops.tracking.store import connect


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program of the smoke test runs in this process, since to import torch and MLflow takes five seconds."""

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        program, *arguments = command[command.index("-P") + 1 :]
        monkeypatch.setattr(sys, "argv", [program, *arguments])
        monkeypatch.setattr(sys, "pycache_prefix", sys.pycache_prefix)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(program, run_name="__main__")
        said = ended.value.code
        return subprocess.CompletedProcess(command, int(bool(said)), stderr=said or "")

    stand_in = SimpleNamespace(run=run, TimeoutExpired=subprocess.TimeoutExpired)
    monkeypatch.setattr(smoke, "subprocess", stand_in)


@pytest.mark.slow
def test_a_working_model_passes_and_becomes_champion(tracking_home: Path) -> None:
    register_small(tracking_home)
    result = promote(small_params())
    assert (result.moved, result.failure) == (True, "")


def test_a_model_of_one_grey_is_refused(here: None, tracking_home: Path) -> None:
    register_small(tracking_home, gain=0.0)
    result = promote(small_params())
    assert (result.moved, result.failure) == (False, "a row of 'image' has the same value everywhere")
    assert Versions(connect(), "ganops").at(CHAMPION) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("nan", "hold numbers that are not finite"),
        ("missing", "were altered"),
        ("torn", "were altered"),
        ("unregistered", "generator.safetensors"),
    ],
)
def test_damaged_weights_are_found(here: None, tracking_home: Path, damage: str, complaint: str) -> None:
    register_small(tracking_home)
    versions = Versions(connect(), "ganops")
    package, folder = registered("models:/ganops/1").package, registered_folder("models:/ganops/1")
    weights = folder / "generator.safetensors"
    if damage == "nan":
        tensors = load_file(weights)
        first = next(iter(tensors))
        tensors[first] = tensors[first] * float("nan")
        save_file(tensors, weights)
        _forge_digest(folder)
        versions.mark("1", _tags(folder, package))
    elif damage == "missing":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:-8])
        if damage == "unregistered":  # the served model compares what model.json says, without a registry
            versions.mark("1", _tags(folder, package))
    assert complaint in smoke_test("models:/ganops/1")


def _tags(folder: Path, package: Path) -> dict[str, str]:
    """Let the registry say that these are the right files."""
    return {CONTENT: digest_of(folder), PACKAGE: package_digest(package)}


def _forge_digest(folder: Path) -> None:
    """Let model.json say that these are the right weights."""
    path = folder / "model.json"
    description = json.loads(path.read_text())
    description["weights"]["generator"] = hashlib.sha256((folder / "generator.safetensors").read_bytes()).hexdigest()
    path.write_text(json.dumps(description))


@pytest.mark.slow
def test_a_model_that_hangs_is_given_up(register_version: Callable[..., str]) -> None:
    register_version(fid=10.0)
    assert smoke_test("models:/ganops/1", seconds=0.2) == "no answer within 0.2 seconds"


def test_the_process_gets_no_credentials(
    register_version: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_version(fid=10.0)
    check = tmp_path / "check.py"
    check.write_text("import os, sys; sys.exit(' '.join(sorted(os.environ)))")
    monkeypatch.setattr(smoke, "CHECK", check)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    passed_on = smoke_test("models:/ganops/1").split()
    assert not [name for name in passed_on if name.startswith(("AWS", "MLFLOW_TRACKING"))]
    assert "MLFLOW_ALLOW_PICKLE_DESERIALIZATION" in passed_on


@pytest.mark.slow
def test_two_processes_that_promote_at_once_lose_no_entry(
    register_version: Callable[..., str], tracking_home: Path
) -> None:
    register_version(fid=9.0)
    register_version(fid=8.0)
    started = [Fork(promote_version, version) for version in ("1", "2")]
    moved = [version for version, process in zip("12", started, strict=True) if process.receive(300)]
    assert [process.wait() for process in started] == [0, 0]
    versions = Versions(connect(), "ganops")
    assert versions.at(CHAMPION) == "2", "the better one stays champion, whichever came first"
    assert sorted(entry.version for entry in entries(versions)) == moved
