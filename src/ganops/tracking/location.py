"""Where the records are kept: a local SQLite file in the repository root, or what MLFLOW_TRACKING_URI names."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from ganops.file_lock import locked

SQLITE = "sqlite:///"
LOCAL_PAGES = "http://127.0.0.1:5000"  # where `mlflow ui` answers
RUNS_VIEW = (
    "searchFilter=tags.kind%20%3D%20%27model%27&orderByKey=attributes.end_time&orderByAsc=false"
    "&compareRunsMode=CHART&workflowType=machine_learning"
)
DATABASE = "mlflow.db"
ARTIFACTS = "mlruns"
SECRETS = (
    "password|passwd|pwd|secret|token|signature|api[-_]?key|access[-_]?key|credential|\\bsig\\b"  # in names of queries
)


def repository_root() -> Path:
    """The repository that owns the records: DVC_ROOT where DVC set it, else the folder of .git or .dvc above the cwd.

    `dvc exp run --temp` runs stages in a copy that is deleted afterwards; its DVC_ROOT names the repository itself.
    """
    named = os.environ.get("DVC_ROOT")
    if named:
        return Path(named).resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / ".git").exists() or (folder / ".dvc").exists():
            return folder
    return here


def tracking_uri() -> str:
    """MLFLOW_TRACKING_URI where it is set, else the SQLite file mlflow.db in the repository root.

    It may hold a password: print it through `redact`.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip() or f"{SQLITE}{DATABASE}"
    if uri.startswith(SQLITE):
        return f"{SQLITE}{repository_root() / uri.removeprefix(SQLITE)}"
    return uri


def redact(text: str) -> str:
    """`text` with the user, the password and the signature of every URL in it replaced by `***`."""
    text = re.sub(r"(?<=://)([^\s/?#'\"]*|[^\s/:@'\"]+:(?!\d+/)[^\s'\"]*?)@", "***@", text)
    return re.sub(rf"(?i)([?&][\w-]*(?:{SECRETS})[\w-]*=)[^\s&'\"]+", r"\1***", text)


def artifact_location(uri: str, experiment: str) -> str | None:
    """The folder of an experiment's artifacts next to a SQLite database; None where a server decides it."""
    database = sqlite_path(uri)
    return (database.parent / ARTIFACTS / experiment).as_uri() if database else None


def sqlite_path(uri: str) -> Path | None:
    """The file of a SQLite tracking address, None for any other."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def runs_page(uri: str, experiment_id: str) -> str:
    """The address of an experiment's runs: of the server, or of the one that `make ui` starts on this machine.

    It shows the trained models side by side, the newest first, and no runs of flows: MLflow nests runs only
    where they are sorted by their start. Without the last part it would open its pages for prompts and agents.
    """
    server = redact(uri).rstrip("/") if urlsplit(uri).scheme in ("http", "https") else LOCAL_PAGES
    return f"{server}/#/experiments/{experiment_id}/runs?{RUNS_VIEW}"


@contextmanager
def store_lock(uri: str, purpose: str) -> Generator[None]:
    """Let one process of this machine at a time do `purpose` to the store; the lock ends with the process."""
    database = sqlite_path(uri)
    if database is not None:
        path = database.with_name(f"{database.name}.{purpose}.lock")
    else:
        digest = hashlib.sha256(uri.encode()).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"ganops-{os.getuid()}-{digest}.{purpose}.lock"
    with locked(path):
        yield
