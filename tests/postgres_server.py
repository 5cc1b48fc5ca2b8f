"""A PostgreSQL server for tests: an own port and folder, ended and removed after them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
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
def serving_postgres(owner: str = USER, password: str = "") -> Iterator[str]:
    """The address of a server's database, which is `owner`'s; skips where PostgreSQL or its driver is not installed.

    password: what the owner must give; by default none.
    """
    initdb, control = find_program("initdb"), find_program("pg_ctl")
    if initdb is None or control is None or find_spec("psycopg2") is None:
        pytest.skip("needs PostgreSQL's programs and psycopg2, which are not on this machine")
    # PostgreSQL refuses to run as root; its package makes a user of this name.
    other = ["runuser", "-u", USER, "--"] if os.getuid() == 0 else []
    # Not below pytest's own folder, which only its user may enter.
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        home = Path(folder)
        home.chmod(0o777 if other else 0o700)
        data, secret, port = home / "data", home / "password", free_port()
        secret.write_text(f"{password or 'none'}\n")
        call = {"check": True, "cwd": "/", "stdout": subprocess.DEVNULL}
        how = ["-A", "scram-sha-256" if password else "trust", f"--pwfile={secret}"]
        subprocess.run([*other, initdb, "-D", data, *how, "-N", "-U", owner], **call)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {home}"
        subprocess.run([*other, control, "-D", data, "-w", "-o", options, "-l", home / "log", "start"], **call)
        try:
            yield f"postgresql://{owner}@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*other, control, "-D", data, "-m", "immediate", "stop"], **call)
