"""The process that trains what a folder asks for: started and ended. Nothing heavy is imported here."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

LOG = "log.txt"
GRACE_SECONDS = 30.0  # between SIGTERM, upon which a training writes a checkpoint, and SIGKILL


def start_process(folder: Path, root: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a training in a session of its own: Ctrl-C reaches the search alone. What it prints is added to its log.

    root: of the checkout. environment: variables that are added to those of this process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - this program's own words
            [sys.executable, "-m", "ganops.search.worker", str(folder)],
            cwd=root,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def end_process(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the process and its children, and SIGKILL to what is left after the grace."""
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
