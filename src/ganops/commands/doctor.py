"""Check what this machine has and lacks, and what to do about it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import click

from ganops.errors import GanopsError

GIB = 1 << 30
DISK_NEEDED = 2 * GIB
PROBE = 1 << 16  # bytes that are tried
WRITTEN = ("data", "results", "checkpoints", "logs", "mlruns", ".dvc", ".dvc/tmp", ".dvc/cache", ".git")
MARKS = {"ok": "ok     ", "note": "note   ", "lacking": "LACKING"}


@dataclass(frozen=True)
class Finding:
    """state: `lacking` means that the pipeline cannot run, `note` that a part of it cannot."""

    state: Literal["ok", "note", "lacking"]
    what: str
    found: str
    action: str = ""


@click.command(short_help="check what this machine has and lacks")
def command() -> None:
    """Check Python, torch, the GPU, weights, disk, DVC, git, settings and recipes, the tracking store and the data.

    Exit code 1 when the pipeline cannot run.
    """
    lacking = 0
    for check in CHECKS:
        for finding in check():
            lacking += finding.state == "lacking"
            click.echo(f"{MARKS[finding.state]}  {finding.what:18}  {finding.found}")
            if finding.action:
                click.echo(f"{'':9}to do: {finding.action}")
    click.echo(f"{lacking} lacking: the pipeline cannot run" if lacking else "nothing is lacking")
    sys.exit(1 if lacking else 0)


def python() -> Iterator[Finding]:
    """The interpreter and where it runs."""
    yield Finding("ok", "Python", f"{sys.version.split()[0]} in {sys.prefix}")


def torch_and_gpu() -> Iterator[Finding]:
    """torch and torchvision, and the devices they compute on."""
    reinstall = "install the environment again: rm -rf .venv && make env"
    try:
        import torch
        import torchvision
    except (ImportError, RuntimeError, OSError) as error:
        yield Finding("lacking", "torch", _first_line(error), reinstall)
        return
    yield Finding("ok", "torch", f"{torch.__version__}, torchvision {torchvision.__version__}")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            device = torch.cuda.get_device_properties(index)
            yield Finding("ok", f"GPU {index}", f"{device.name}, {device.total_memory / GIB:.0f} GiB")
    elif torch.backends.mps.is_available():
        yield Finding("ok", "GPU", "Apple's (mps); steps are not captured there, and what it lacks runs on the CPU")
    elif Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi"):
        action = "check that `nvidia-smi` works and that its CUDA version suits this torch"
        yield Finding("note", "GPU", "there is an NVIDIA driver, but torch finds no GPU", action)
    else:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        yield Finding("ok", "GPU", f"none; training uses the CPU with {cores} cores")


def inception() -> Iterator[Finding]:
    """The weights behind the published FID, needed for the features inception-v3 only."""
    from ganops.evaluation.extractors.inception import SHA256_PREFIX, cached_path
    from ganops.networks.weight_files import sha256_of

    path, what = cached_path(), "Inception weights"
    if not path.is_file():
        action = f"only for evaluate.features inception-v3: they are downloaded to {path} where there is a network"
        yield Finding("note", what, "not on this machine", action)
    elif not sha256_of(path).startswith(SHA256_PREFIX):
        yield Finding("note", what, f"{path} is damaged", f"remove it; its sha256 should begin with {SHA256_PREFIX}")
    else:
        yield Finding("ok", what, str(path))


def disk() -> Iterator[Finding]:
    """Space for data, results, checkpoints and records, and whether files can be written where they have to be."""
    from ganops.tracking.location import repository_root

    root = repository_root()
    free = shutil.disk_usage(root).free
    found, enough = f"{free / GIB:.1f} GiB free at {root}", free >= DISK_NEEDED
    action = "" if enough else "free some space: `dvc gc --workspace` removes old results, `mlflow gc` deleted runs"
    yield Finding("ok" if enough else "lacking", "disk", found, action)
    folders = [root, *(root / name for name in WRITTEN), Path(os.environ.get("PREFECT_HOME", root))]
    for folder in dict.fromkeys(folder for folder in folders if folder.is_dir()):
        if problem := why_not_writable(folder):
            yield Finding("lacking", "folder", problem, f"let this user write into {folder}, on a disk with room")
    try:
        problem = why_not_writable(Path(tempfile.gettempdir()))
    except FileNotFoundError as error:
        problem = str(error)
    if problem:
        yield Finding("lacking", "temporary files", problem, "name a folder that can be written in TMPDIR")
    home = Path("~").expanduser()
    if not home.is_dir():
        yield Finding("note", "home", f"{home} does not exist: settings of git and DVC are not found", "set HOME")


def why_not_writable(folder: Path) -> str:
    """Why no file can be written into a folder; empty where one can. It is tried: permissions alone do not tell."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(bytes(PROBE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return ""


def dvc() -> Iterator[Finding]:
    """The tool that decides what has to run, and its repository."""
    from ganops.tracking.location import repository_root

    installed, root = _version("dvc"), repository_root()
    if installed is None:
        yield Finding("lacking", "DVC", "not installed", "make env")
    elif not (root / ".dvc").is_dir():
        yield Finding(
            "lacking", "DVC", f"{installed}, but {root} is not a DVC repository", "run this inside the checkout"
        )
    elif shutil.which("dvc") is None:
        action = ". .venv/bin/activate, or use the targets that `make help` lists"
        yield Finding("note", "DVC", f"{installed}, but `dvc` is not on PATH", action)
    else:
        yield Finding("ok", "DVC", f"{installed}, repository {root}")


def git() -> Iterator[Finding]:
    """Commits, which are recorded in runs and model versions."""
    from ganops.tracking.lineage import git_state, why_no_commit

    state = git_state(Path.cwd())
    if state is not None:
        where = "detached HEAD" if state.branch == "HEAD" else state.branch
        changed = ", with changes that are not committed" if state.dirty else ""
        yield Finding("ok", "git", f"{where} at {state.commit[:12]}{changed}")
        return
    reason = why_no_commit(Path.cwd())
    if "ownership" in reason:  # DVC refuses to work then
        yield Finding("lacking", "git", reason, 'git config --global --add safe.directory "$PWD"')
    else:
        action = "install git, and work in a clone: without it everything works, but runs do not record their code"
        yield Finding("note", "git", reason or "no commit here", action)


def files() -> Iterator[Finding]:
    """Settings, recipes, and what DVC has written: whether each file can be read."""
    from ganops.commands._files import unreadable
    from ganops.tracking.location import repository_root

    found = list(unreadable(repository_root()))
    for error in found:
        reason = error.message + (f": {error.found}" if error.found else "")
        yield Finding("lacking", "files", reason, error.action or "correct it, or take it from git: git checkout FILE")
    if not found:
        yield Finding("ok", "files", "settings, recipes and the files of DVC can be read")


def prefect() -> Iterator[Finding]:
    """The tool that runs flows, with or without a server."""
    from ganops.services import why_silent
    from ganops.tracking.location import redact

    installed, address = _version("prefect"), os.environ.get("PREFECT_API_URL")
    if installed is None:
        yield Finding("note", "Prefect", "not installed", "make env; without it `dvc repro` still works")
    elif not address:
        yield Finding("ok", "Prefect", f"{installed}, without a server: each flow starts its own")
    elif reason := why_silent(address, "/health"):
        action = "start it (make server), correct PREFECT_API_URL, or unset it: a flow then starts its own"
        yield Finding("lacking", "Prefect", f"{redact(address)}: {reason}", action)
    else:
        yield Finding("ok", "Prefect", f"{installed}, server {redact(address)}")


def tracking() -> Iterator[Finding]:
    """The store of runs and models: whether it answers, and what it holds. Runs of killed processes are ended."""
    from ganops.params import AUTO
    from ganops.registry.sweep import sweep
    from ganops.registry.versions import CHAMPION, Versions
    from ganops.resolved import load_params
    from ganops.tracking.database import damage
    from ganops.tracking.location import redact, sqlite_path, tracking_uri
    from ganops.tracking.store import connect, damaged

    try:
        if (database := sqlite_path(tracking_uri())) and (problem := damage(database)):
            raise damaged(database, problem)
        store, params = connect(), load_params()
        ended, names = sweep(params), params.tracking
        experiment = store.client.get_experiment_by_name(names.experiment)
        runs = len(store.client.search_runs([experiment.experiment_id], max_results=1000)) if experiment else 0
        champion = None if names.model == AUTO else Versions(store, names.model).at(CHAMPION)
    except GanopsError as error:
        yield Finding("lacking", "tracking", f"{redact(tracking_uri())}: {error.found or error.message}", error.action)
        return
    who = f"champion is {names.model} version {champion}" if champion else "no champion yet"
    yield Finding("ok", "tracking", f"{redact(store.uri)}: {runs} runs, {who}")
    for line in ended:
        yield Finding("note", "tracking", line)


def data() -> Iterator[Finding]:
    """Which data sets are on this machine, and whether that of params.yaml is."""
    from ganops.data.data_root import data_roots
    from ganops.data.sources.source import SOURCES, find_source
    from ganops.resolved import load_params
    from ganops.workspace import WORKSPACE

    try:
        params = load_params()
        roots = data_roots(params.data.home, WORKSPACE.raw)
        located = {name: find_source(name).locate(roots) for name in SOURCES.names()}
        find_source(params.data.source)
    except GanopsError as error:
        yield Finding("lacking", "data", error.message, error.action)
        return
    here = [name for name, files in located.items() if files is not None]
    yield Finding("ok", "data", f"{', '.join(here)}; looked in {', '.join(map(str, roots))}")
    if params.data.source not in here:
        action = "connect to the network, or name the folder with its files in data.home or GANOPS_DATA_HOME"
        found = f"{params.data.source} is not on this machine and will be downloaded"
        yield Finding("note", "data.source", found, action)
    yield from _prepared()
    path = params.data.path
    if path is not None and not path.expanduser().exists():
        yield Finding("lacking", "data.path", f"{path} does not exist", "correct data.path in params.yaml")


def _prepared() -> Iterator[Finding]:
    """What `prepare` has left, where it has run: whether every row is what it was."""
    from ganops.data.manifest import manifest_path
    from ganops.data.unaltered import require_unaltered
    from ganops.workspace import WORKSPACE

    if manifest_path(WORKSPACE.prepared).exists():
        try:
            require_unaltered(WORKSPACE.prepared)
        except GanopsError as error:
            yield Finding("lacking", str(WORKSPACE.prepared), error.in_short, error.action)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    python,
    torch_and_gpu,
    inception,
    disk,
    dvc,
    git,
    files,
    prefect,
    tracking,
    data,
)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
