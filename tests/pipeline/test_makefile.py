"""make lists itself, finds a Python or says what is missing, and an environment that is there costs no time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGET = re.compile(r"^([a-z-]+):[^=]*?(?:## (.*))?$", re.MULTILINE)


def make(*words: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "PYTHON")}
    return subprocess.run(
        ["make", *words], cwd=folder, env=clean | environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_help_lists_every_target_with_a_line() -> None:
    described = {name: line for name, line in TARGET.findall((ROOT / "Makefile").read_text()) if line or name}
    assert all(described.values()), "every target says what it does"
    said = make().stdout
    for name, line in described.items():
        assert f"make {name} " in said
        assert line in said
    assert len(described) > 20


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The Makefile and what it installs from, without an environment."""
    for name in ("Makefile", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def test_without_a_usable_python_it_says_what_to_do(copy: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("make", "sh", "awk", "rm", "dirname", "touch", "printf", "env"):
        if found := shutil.which(tool):
            (tools / tool).symlink_to(found)
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what a Python that is too old answers to the question
    old.chmod(0o755)
    done = make("run", folder=copy, PATH=str(tools))
    assert done.returncode != 0
    assert "Python 3.11" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (copy / ".venv").exists()


def test_an_environment_that_is_there_is_left_alone(copy: Path) -> None:
    venv = copy / ".venv"
    venv.mkdir()
    for stamp in (".run-ready", ".dev-ready"):
        (venv / stamp).touch()
    assert "Nothing to be done" in make("env", "env-dev", folder=copy).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["serve"], "-m,pipeline,ganops,serve"),
        (["serve", "MODEL=my models/it's $(HOME); echo"], "-m,pipeline,ganops,serve,my models/it's $(HOME); echo"),
        (["retrain"], "-m,pipeline.flows.run,retraining"),
        (["retrain", "PROMOTE=false"], "-m,pipeline.flows.run,retraining,--no-promote"),
    ],
)
def test_what_a_person_gives_reaches_the_command_as_it_is(copy: Path, words: list[str], said: str) -> None:
    python = copy / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nIFS=,\nprintf "%s\\n" "$*"\n')
    python.chmod(0o755)
    (copy / ".venv" / ".run-ready").touch()
    assert make(*words, folder=copy).stdout == f"{said}\n"


def test_extras_are_installed_again_though_nothing_changed(copy: Path) -> None:
    venv = copy / ".venv"
    venv.mkdir()
    (venv / ".run-ready").touch()
    said = make("--dry-run", "env", "EXTRAS=s3 postgres", folder=copy, PYTHON=sys.executable).stdout
    assert "requirements/install.sh .venv run" in said


@pytest.mark.parametrize(("target", "kind"), [("env", "run"), ("env-dev", "dev")])
def test_a_changed_lock_file_is_installed(copy: Path, target: str, kind: str) -> None:
    venv = copy / ".venv"
    venv.mkdir()
    for stamp in (".run-ready", ".dev-ready"):
        (venv / stamp).touch()
        os.utime(venv / stamp, (0, 0))
    said = make("--dry-run", target, folder=copy, PYTHON=sys.executable).stdout
    assert f"requirements/install.sh .venv {kind}" in said


def test_the_lock_files_fit_pyproject() -> None:
    """Every direct dependency is pinned, with hashes and without the address of an index."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    for kind, wanted in (
        ("run", [*project["dependencies"], *optional["build"]]),
        ("dev", [*project["dependencies"], *optional["build"], *optional["dev"]]),
        ("extras", [name for extra in optional.keys() - {"build", "dev"} for name in optional[extra]]),
    ):
        lock = (ROOT / "requirements" / f"{kind}.txt").read_text()
        pinned = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))
        names = {re.split(r"[<>=!~ \[]", requirement)[0].lower() for requirement in wanted} - {project["name"]}
        assert not names - pinned, f"requirements/{kind}.txt lacks them: make lock"
        assert lock.count("--hash=sha256:") >= len(pinned)
        assert "://" not in lock


def test_each_direct_dependency_is_explained() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    explained = set(re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE))
    assert {re.split(r"[<>=!~ \[]", requirement)[0] for requirement in wanted} - {project["name"]} == explained
