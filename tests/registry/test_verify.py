"""`ganops verify` finds every file of a registered version that is not as it was registered, and no pickle runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cloudpickle
import pytest
import yaml
from small_model import register_small

from ganops.registry.load import pickles_in, problem_with, registered
from ganops.registry.smoke import smoke_test
from ganops.registry.verify import verify
from ganops.tracking.store import connect

LOADS = """
import os, sys
import mlflow
unnamed, named = sys.argv[1:]
print(len(mlflow.pyfunc.load_model(unnamed).predict({"n": [2]})))
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
try:
    mlflow.pyfunc.load_model(named)
except mlflow.MlflowException:
    print("refused")
"""


class Planted:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return Path.touch, (self.target,)


@pytest.fixture
def package(tracking_home: Path) -> Path:
    register_small(tracking_home)
    return registered("models:/ganops/1").package


@pytest.fixture
def short_package(short_source: None, package: Path) -> Path:
    """The same, which cannot be started."""
    return package


def plant(package: Path, target: Path, *, named: bool) -> None:
    """Put a pickle among the files; `named`: let MLmodel say that it is the model."""
    (package / "python_model.pkl").write_bytes(cloudpickle.dumps(Planted(target)))
    if named:
        text = yaml.safe_load((package / "MLmodel").read_text())
        flavor = text["flavors"]["python_function"]
        flavor["python_model"] = "python_model.pkl"
        del flavor["model_code_path"]
        (package / "MLmodel").write_text(yaml.safe_dump(text))


def test_what_is_registered_is_as_it_was(package: Path) -> None:
    store = connect()
    assert list(verify(store)) == [("models:/ganops/1", "")]
    assert smoke_test("models:/ganops/1") == ""
    assert list(verify(store)) == [("models:/ganops/1", "")], "to load it changes nothing that counts"
    assert not list(package.rglob("*.pyc"))
    assert "no pickle" in yaml.safe_load((package / "MLmodel").read_text())["metadata"]["loads"]


@pytest.mark.parametrize("name", ["MLmodel", "served_model.py", "code/ganops/errors.py", "generator.safetensors"])
def test_one_changed_bit_in_any_file_is_found(short_package: Path, name: str) -> None:
    file = next(short_package.rglob(name))
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)
    ((_, problem),) = verify(connect())
    assert "altered" in problem


@pytest.mark.parametrize("named", [False, True])
def test_a_planted_pickle_is_found_and_never_opened(short_package: Path, tmp_path: Path, named: bool) -> None:
    plant(short_package, tmp_path / "opened", named=named)
    assert pickles_in(short_package) == ["python_model.pkl"]
    ((_, problem),) = verify(connect())
    assert "altered" in problem
    assert "python_model.pkl" in problem
    assert smoke_test("models:/ganops/1") == problem_with("models:/ganops/1") == problem
    assert not (tmp_path / "opened").exists()


def test_a_pickle_that_mlmodel_does_not_name_is_not_opened_by_mlflow_in_a_plain_shell(
    package: Path, tmp_path: Path
) -> None:
    """Where MLmodel names it, only MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false keeps MLflow from opening it."""
    unnamed, named = tmp_path / "unnamed", tmp_path / "named"
    for copy in (unnamed, named):
        shutil.copytree(package, copy)
        plant(copy, tmp_path / "opened", named=copy == named)
    plain = {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", LOADS, str(unnamed), str(named)]
    done = subprocess.run(command, env=plain, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "refused"], done.stderr
    assert not (tmp_path / "opened").exists()
