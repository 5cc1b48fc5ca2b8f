"""Curves on their way to a tracking server that is slow, absent or refuses, from processes that are killed."""

from __future__ import annotations

import os
import random
import shutil
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from service import free_port
from small_model import small_params
from tracking_server import Server

from ganops.errors import GanopsError
from ganops.tracking import run as run_module
from ganops.tracking.dead import end_dead_runs
from ganops.tracking.run import RunFile, read_run_file, resume_run, start_run
from ganops.tracking.store import connect
from ganops.training.history import write_history
from ganops.workspace import Workspace

ROWS = [(step, {"loss": 1 / (step + 1)}) for step in range(40)]
MODES = ("slow", "absent", "refusing", "hanging", "kill", "well")
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
FAILED = 3


class Proxy:
    """Stands before a server and behaves as `mode` says."""

    def __init__(self, target: int) -> None:
        self.target, self.port, self.mode = target, free_port(), "well"
        self._socket = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """What clients are given."""
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            client = self._socket.accept()[0]
            threading.Thread(target=self._serve, args=(client, self.mode), daemon=True).start()

    def _serve(self, client: socket.socket, mode: str) -> None:
        with client:
            if mode == "absent":
                return
            if mode == "refusing":
                client.recv(1 << 16)
                client.sendall(BUSY)
                return
            if mode == "hanging":
                time.sleep(15)
                return
            time.sleep(0.5 if mode == "slow" else 0)
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                answer = threading.Thread(target=_pump, args=(server, client), daemon=True)
                answer.start()
                _pump(client, server)
                answer.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while part := source.recv(1 << 16):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def train(home: Path, address: str) -> None:
    """Log all rows as a training does, in some two seconds; the run file is written when it has ended."""
    os.chdir(home)
    os.environ["MLFLOW_TRACKING_URI"] = address
    run_module.PATIENCE = 2.0
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "4"
    try:
        with start_run("tiny", params=small_params(), system_metrics=False) as run:
            for row in ROWS:
                run.log_curves([row])
                time.sleep(0.05)
            RunFile(run_id=run.run_id, recipe="tiny").write(Workspace().run_file("tiny"))
    except GanopsError:
        sys.exit(FAILED)


def continue_run(home: Path, address: str) -> None:
    """What a later stage does: open the run of the training again."""
    os.chdir(home)
    os.environ["MLFLOW_TRACKING_URI"] = address
    try:
        with resume_run(Workspace().run_file("tiny"), params=small_params()):
            pass
    except GanopsError:
        sys.exit(FAILED)


class RecordTrials:
    """Trainings behind a bad connection; in the end each row is there once, and no run stays RUNNING."""

    def __init__(self, home: Path, database: Path, chance: random.Random, context: ForkServerContext) -> None:
        self.home, self.chance, self.context = home, chance, context
        home.mkdir()
        shutil.copy(database, home / "mlflow.db")
        self.server = Server(home, free_port())
        self.server.start()
        self.proxy = Proxy(self.server.port)

    def run(self, number: int) -> Counter[str]:
        """One training; raises AssertionError where a row is lost or logged twice, or a run stays open."""
        faults: Counter[str] = Counter()
        home = self.home / f"checkout-{number}"
        (home / ".dvc").mkdir(parents=True)
        workspace = Workspace(home)
        write_history(
            workspace.trained("tiny") / "history.csv", [{"step": float(step), **values} for step, values in ROWS]
        )
        while not workspace.run_file("tiny").is_file():
            self._disturb(home, faults)
        self.proxy.mode = "well"
        assert self._end(self._start(continue_run, home)) == 0, f"the run cannot be completed after {dict(faults)}"
        self._check(home, faults)
        shutil.rmtree(home)
        return faults

    def close(self) -> None:
        """End the server."""
        self.server.kill()

    def _disturb(self, home: Path, faults: Counter[str]) -> None:
        child = self._start(train, home)
        end = time.monotonic() + self.chance.uniform(1, 10)
        while child.is_alive() and time.monotonic() < end:
            mode = self.chance.choice(MODES)
            faults[f"server: {mode}"] += 1
            if mode == "kill" and self.chance.random() < 0.5:
                child.kill()
            else:
                self.proxy.mode = mode if mode != "kill" else "well"
            child.join(self.chance.uniform(0.1, 2))
        assert self._end(child) in (0, FAILED, -9), f"a training ended because of its records after {dict(faults)}"

    def _check(self, home: Path, faults: Counter[str]) -> None:
        os.chdir(home)
        try:
            store = connect(self.server.uri)
            run_id = read_run_file(Workspace(home).run_file("tiny")).run_id
            steps = sorted(metric.step for metric in store.client.get_metric_history(run_id, "train/loss"))
            assert steps == [step for step, _ in ROWS], f"after {dict(faults)}: {steps}"
            assert store.client.get_run(run_id).info.status == "FINISHED", dict(faults)
            end_dead_runs(store, "ganops")
            known = store.client.search_runs([store.experiment("ganops")], "attributes.status = 'RUNNING'")
            assert not known, f"after {dict(faults)} {len(known)} runs are open"
        finally:
            os.chdir(self.home)

    def _start(self, what: Callable[[Path, str], None], home: Path) -> BaseProcess:
        child = self.context.Process(target=what, args=(home, self.proxy.address))
        child.start()
        return child

    def _end(self, child: BaseProcess) -> int:
        child.join(180)
        if child.is_alive():
            child.kill()
            child.join()
            raise AssertionError("a process waits for the server for ever")
        assert child.exitcode is not None
        return child.exitcode
