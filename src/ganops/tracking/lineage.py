"""Where a model comes from: the commit of the code and the hashes DVC keeps of its inputs and outputs."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from ganops.tracking.names import tracked_name


@dataclass(frozen=True)
class GitState:
    """The commit checked out, the branch, and whether files that git tracks differ from it."""

    commit: str
    branch: str
    dirty: bool


def git_state(folder: Path) -> GitState | None:
    """The state of the repository around `folder`; None without git, without a repository or before a first commit."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return GitState(commit, _git(folder, "rev-parse", "--abbrev-ref", "HEAD") or "", dirty=bool(changes))


def dvc_hashes(folder: Path) -> dict[str, str]:
    """Path to md5 of everything dvc.lock in `folder` knows, outputs before dependencies; empty without a readable one.

    dvc.lock is written when a stage ends: inside a running stage its own entry is that of the time before.
    """
    try:
        lock = yaml.safe_load((folder / "dvc.lock").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    try:
        stages = list(((lock or {}).get("stages") or {}).values())
        entries = [entry for part in ("deps", "outs") for stage in stages for entry in (stage or {}).get(part) or []]
        return {entry["path"]: entry["md5"] for entry in entries if "md5" in entry and "path" in entry}
    except (AttributeError, TypeError):  # YAML of another form
        return {}


def lineage_tags(folder: Path, of: tuple[str, ...] = ()) -> dict[str, str]:
    """Tags for a run or a model version: git state, DVC's stage and experiment, hashes of paths starting with `of`."""
    tags: dict[str, str] = {}
    git = git_state(folder)
    if git is not None:
        tags = {"git.commit": git.commit, "git.branch": git.branch, "git.dirty": str(git.dirty).lower()}
    for tag, variable in (
        ("dvc.stage", "DVC_STAGE"),
        ("dvc.experiment", "DVC_EXP_NAME"),
        ("dvc.baseline", "DVC_EXP_BASELINE_REV"),
    ):
        if os.environ.get(variable):
            tags[tag] = os.environ[variable]
    hashes = dvc_hashes(folder).items()
    return tags | {tracked_name(f"dvc.md5.{path}"): md5 for path, md5 in hashes if path.startswith(of)}


def why_no_commit(folder: Path) -> str:
    """What git says where it finds no commit in `folder`; empty where it finds one."""
    done = _run(folder, "rev-parse", "HEAD")
    if done is None:
        return "git is not installed"
    said = [line for line in done.stderr.splitlines() if line.startswith("fatal: ")]
    return said[0].removeprefix("fatal: ") if done.returncode and said else ""


def _git(folder: Path, *arguments: str) -> str | None:
    done = _run(folder, *arguments)
    return done.stdout.strip() if done is not None and done.returncode == 0 else None


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(  # noqa: S603, fixed arguments
            ["git", *arguments],  # noqa: S607, git is where PATH says
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
