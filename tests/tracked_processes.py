"""What processes do in the tests of tracking and registry in which several are at work, or one is killed."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import mlflow.pyfunc  # noqa: F401, so that two registrations start at the same moment
from PIL import Image
from small_model import register_small, small_params

from ganops.registry import promotion
from ganops.registry.load import problem_with
from ganops.registry.promotion import promote, rollback
from ganops.tracking.run import RunFile, flow_run, start_run
from ganops.tracking.store import connect


def keep_run_open(connection: Connection, kind: str) -> None:
    """Open the run of a flow or a training, send its id, and keep it open until killed."""
    params = small_params()
    opened = (
        flow_run("train-gans", params=params)
        if kind == "flow"
        else start_run("tiny", params=params, system_metrics=False)
    )
    with opened as run:
        if kind == "train":
            run.log_curves([(step, {"loss": 1.0, "kimg": step / 10}) for step in range(3)])
            while run.outbox.waiting():
                time.sleep(0.01)
        connection.send(run.run_id)
        connection.recv()


def train_and_die(connection: Connection) -> None:
    """Log rows with a hole and two sample grids, then die by SIGKILL."""
    with start_run("tiny", params=small_params()) as run:
        RunFile(run_id=run.run_id, recipe="tiny").write(Path("results/runs/tiny.json"))
        for step in (0, 1, 2, 3, 6):
            run.log_curves([(step, {"loss": float(step), "kimg": step / 10})])
        for step in (0, 3):
            run.log_samples(step, Image.new("L", (8, 8), 128))
        run.outbox.close()
        os.kill(os.getpid(), signal.SIGKILL)


def make_database(connection: Connection, uri: str) -> None:
    """Connect to a database that is not there yet; send the id of its experiment."""
    connection.send(connect(uri).experiment("ganops"))


def register_at_once(connection: Connection, home: Path, name: str) -> None:
    """Register a model as soon as another process does; send its version."""
    (home / f"ready-{name}").touch()
    while len(list(home.glob("ready-*"))) < 2:
        time.sleep(0.01)
    (home / name).mkdir()
    connection.send(register_small(home / name))


def promote_version(connection: Connection, version: str) -> None:
    """Put a version before the gate; send whether it became champion. Its files are compared, and it is not started."""
    promotion.smoke_test = problem_with
    connection.send(promote(small_params(), version).moved)


def promote_or_roll_back(connection: Connection, scratch: Path, version: str | None) -> None:
    """Once something is received, promote a version, or roll back; send the champion. Nothing is shared but `scratch`.

    scratch: where this machine keeps its locks.
    """
    promotion.smoke_test = problem_with
    tempfile.tempdir = str(scratch)
    connect()
    connection.send("ready")
    connection.recv()
    connection.send(promote(small_params(), version).version if version else rollback(small_params())[0])
