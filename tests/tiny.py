"""A checkout of the working tree with tiny settings: the whole pipeline in about a minute.

`python tests/tiny.py FOLDER` makes one, runs the training flow twice, and fails unless the second run skips
every stage.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import chdir, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ganops.params import read_params
from ganops.resolved import read_resolved, write_resolved
from ganops.workspace import WORKSPACE

ROOT = Path(__file__).resolve().parent.parent

SETTINGS: dict[str, Any] = {
    "recipes": ["mlp", "dcgan"],
    "train": {
        "budget_scale": 0.004,
        "sample_images": 16,
        "sample_times": 2,
        "validate_kimg": 0.3,
        "validation_samples": 50,
    },
    "evaluate": {
        "samples": 100,
        "pairwise_samples": 100,
        "metrics": {"is": {"splits": 2}, "kid": {"subsets": 2, "subset_size": 50}},
        "classifier": {"max_kimg": 0.5, "width": 8},
    },
}
ALWAYS_RUN = "inventory"


def make_checkout(folder: Path, settings: dict[str, Any] = SETTINGS) -> Path:
    """Copy what git has or would add of the working tree into `folder`, apply `settings` and commit all of it."""
    names = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump(merged(params, settings), sort_keys=False))
    resolved = read_resolved(folder / "pipeline" / "resolved.yaml")
    assert resolved is not None
    with chdir(folder):
        write_resolved(resolved.following(read_params(), WORKSPACE.recipes), WORKSPACE.resolved)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    for key, value in (("user.name", "tiny"), ("user.email", "tiny@localhost"), ("commit.gpgsign", "false")):
        git(folder, "config", key, value)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--no-verify", "--message", "tiny settings")
    return folder


def merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`values` with `changes` laid over them, section by section; an empty section empties."""
    result = dict(values)
    for key, change in changes.items():
        both = isinstance(change, dict) and change and isinstance(values.get(key), dict)
        result[key] = merged(values[key], change) if both else change
    return result


def git(folder: Path, *arguments: str) -> str:
    """What git prints in `folder`."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def clean_environment() -> dict[str, str]:
    """This process' environment without what would make a checkout use services or folders of another one."""
    foreign = ("MLFLOW_TRACKING_", "MLFLOW_RUN_ID", "MLFLOW_REGISTRY_", "PREFECT_", "DVC_ROOT", "DVC_EXP_", "GANOPS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def records(folder: Path) -> dict[str, int]:
    """How many runs and model versions the checkout's MLflow database holds."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("runs", "model_versions")
        }


@dataclass(frozen=True)
class Checkout:
    """A checkout and the environment its commands run in."""

    folder: Path
    environment: dict[str, str]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `python WORDS` here, with both of its streams as one."""
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.environment | {"PWD": str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start_service(self, log: Path, *words: str) -> subprocess.Popen[str]:
        """Start a tool that runs until it is ended, in a session of its own; what it prints goes to `log`."""
        with log.open("w") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "pipeline", *words],
                cwd=self.folder,
                env=self.environment | {"PWD": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def run(self, *words: str, timeout: float = 600) -> str:
        """What `python WORDS` prints; raises when it fails."""
        process = self.start(*words)
        said, _ = process.communicate(timeout=timeout)
        if process.returncode:
            raise RuntimeError(f"python {' '.join(words)} ended with {process.returncode}:\n{said}")
        return said

    def dvc(self, *words: str) -> str:
        """What a dvc command prints."""
        return self.run("-m", "pipeline", "dvc", *words)

    def set(self, *assignments: str) -> None:
        """Change settings."""
        self.run("-m", "pipeline.set_params", *assignments)

    def restore(self) -> None:
        """Bring settings, lock file and results back to those of the flow's first run; nothing is computed."""
        git(self.folder, "reset", "--quiet", "--hard")
        self.dvc("checkout", "--quiet", "--force")


def ran(said: str) -> set[str]:
    """The stages that DVC says it ran, without the one that always runs."""
    return {line.split("'")[1] for line in said.splitlines() if "Running stage '" in line} - {ALWAYS_RUN}


def main(folder: Path) -> None:
    """Make the checkout in `folder`, in place of an earlier one, and run the training flow twice."""
    if folder.exists():
        if not (folder / "mlflow.db").is_file() and not (folder / ".git").is_dir():
            sys.exit(f"{folder} exists and is not an earlier checkout: remove it, or name another folder")
        shutil.rmtree(folder)
    make_checkout(folder)
    flow = [sys.executable, "-m", "pipeline.flows.run"]
    start = time.monotonic()
    subprocess.run(flow, cwd=folder, env=clean_environment(), check=True)
    middle = time.monotonic()
    before = records(folder), (folder / "dvc.lock").read_bytes()
    subprocess.run(flow, cwd=folder, env=clean_environment(), check=True)
    end = time.monotonic()
    if (records(folder), (folder / "dvc.lock").read_bytes()) != before:
        sys.exit(f"the second run did not skip all: {before[0]} records before, {records(folder)} after")
    print(f"\ntiny pipeline: first run {middle - start:.0f} s, second run {end - middle:.0f} s, nothing ran twice")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
