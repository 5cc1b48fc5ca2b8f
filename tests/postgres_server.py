"""A PostgreSQL server for tests: an own port and folder, no password, ended and removed with the session."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from service import free_port

PROGRAMS = ["/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin"]
USER = "postgres"


def find_program(name: str) -> str | None:
    """A program of PostgreSQL: on PATH, or where packages put it."""
    folders = [str(folder) for pattern in PROGRAMS for folder in sorted(Path("/").glob(pattern.removeprefix("/")))]
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *folders]))


@contextmanager
def serving_postgres(home: Path) -> Iterator[str]:
    """The address of the server's database `mlflow`; skips where PostgreSQL or its driver is not installed."""
    initdb, control = find_program("initdb"), find_program("pg_ctl")
    if initdb is None or control is None or find_spec("psycopg2") is None:
        pytest.skip("needs PostgreSQL's programs and psycopg2, which are not on this machine")
    # PostgreSQL refuses to run as root; its package makes a user of this name.
    other = ["runuser", "-u", USER, "--"] if os.getuid() == 0 else []
    home.mkdir(exist_ok=True)
    home.chmod(0o777)
    data, port = home / "data", free_port()
    for folder in (home.parent, *home.parent.parents):
        if other and folder != Path("/") and folder.stat().st_uid == 0:
            folder.chmod(folder.stat().st_mode | 0o011)  # that user has to reach the folder
    call = {"check": True, "cwd": "/", "stdout": subprocess.DEVNULL}
    subprocess.run([*other, initdb, "-D", data, "-A", "trust", "-N", "-U", USER], **call)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {home}"
    subprocess.run([*other, control, "-D", data, "-w", "-o", options, "-l", home / "log", "start"], **call)
    try:
        yield f"postgresql://{USER}@127.0.0.1:{port}/{USER}"
    finally:
        subprocess.run([*other, control, "-D", data, "-m", "immediate", "stop"], **call)
