"""What DVC knows of the pipeline: its stages in order, and whether anything has to run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from graphlib import TopologicalSorter

from ganops.errors import SettingsError
from ganops.settings import read_yaml
from ganops.workspace import WORKSPACE
from pipeline.flows.causes import cause_of

INVENTORY = "inventory"
DVC = (sys.executable, "-m", "dvc")
NODE = re.compile(r'^"([^"]+)";$')
EDGE = re.compile(r'^"([^"]+)" -> "([^"]+)";$')


@dataclass(frozen=True)
class Stage:
    """One stage of dvc.yaml, with a matrix written out (`train@dcgan`), and the stages whose results it needs."""

    name: str
    needs: tuple[str, ...]

    @property
    def recipe(self) -> str | None:
        """The recipe a matrix stage works on."""
        return self.name.partition("@")[2] or None


def read_stages() -> list[Stage]:
    """The stages of dvc.yaml, each after those it needs, otherwise in the order of the file.

    Raises SettingsError with DVC's own words when dvc.yaml or params.yaml cannot be read.
    """
    done = _dvc("dag", "--dot")
    if done.returncode:
        found, action = cause_of(done.stderr.splitlines())
        raise SettingsError(
            "DVC cannot read the pipeline",
            code="bad-pipeline",
            found=found,
            action=action or "correct dvc.yaml or pipeline/resolved.yaml",
        )
    needs: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if node := NODE.match(line.strip()):
            needs.setdefault(node[1], [])
        elif edge := EDGE.match(line.strip()):
            needs.setdefault(edge[2], []).append(edge[1])
    stages = {name for name in needs if not name.endswith(".dvc")}  # what `dvc add` tracks is not a stage
    order = TopologicalSorter(needs).static_order()
    return [Stage(name, tuple(need for need in needs[name] if need in stages)) for name in order if name in stages]


def is_up_to_date() -> bool:
    """Whether no stage has to run; False too when DVC cannot tell at this moment, because another DVC is at work.

    The stage `inventory` always runs and does not count: what it would write has been written before.
    """
    done = _dvc("status", "--json")
    return done.returncode == 0 and set(json.loads(done.stdout or "{}")) <= {INVENTORY}


def has_remote() -> bool:
    """Whether a DVC remote is configured."""
    return bool(_dvc("remote", "list").stdout.strip())


def imported_files() -> list[str]:
    """The .dvc files of data that come from elsewhere (`dvc import`, `dvc import-url`), which `dvc update` renews."""
    folders = (WORKSPACE.raw, WORKSPACE.raw.parent)
    files = sorted({file for folder in folders for file in folder.glob("*.dvc")})
    return [str(file) for file in files if "deps" in (read_yaml(file) or {})]


def _dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DVC, *arguments], capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
