"""One training per checkpoint folder: two at once would overwrite each other's files."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganops.errors import TrainingError

WAIT_SECONDS = 30.0
IDENTITY = re.compile(r"[0-9a-f]{16}")  # as TrainingJob.identity names the folders


@contextmanager
def exclusive(folder: Path, wait_seconds: float = WAIT_SECONDS) -> Generator[None]:
    """Hold the folder's lock for the duration of the block; the system releases it however the process ends.

    Waits for a while, since a training whose DVC was killed notices that within seconds and ends by itself.
    Raises TrainingError naming the process that still holds the lock afterwards.
    """
    path = folder.with_name(f"{folder.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, folder, wait_seconds)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, folder: Path, wait_seconds: float) -> None:
    give_up = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > give_up:
                holder = os.pread(descriptor, 32, 0).decode(errors="replace") or "unknown"
                raise TrainingError(
                    "another process is training the same recipe on the same data",
                    code="already-training",
                    found=f"process {holder} holds {folder}",
                    action="wait for it, or end it",
                ) from None
            time.sleep(0.2)


def forget_others(folder: Path) -> None:
    """Remove what earlier code, settings or data have left next to a training's folder, unless it is being trained."""
    for path in folder.parent.iterdir():
        if IDENTITY.fullmatch(path.name) and path != folder:
            with suppress(TrainingError), exclusive(path, wait_seconds=0):
                shutil.rmtree(path, ignore_errors=True)
