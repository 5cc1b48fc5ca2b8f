"""A training outlives its tracking server; what the server missed reaches it when it is back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from small_model import small_manifest, small_params, small_recipe

from ganops.tracking.run import start_run
from ganops.tracking.store import connect

pytestmark = pytest.mark.slow


class Server:
    """`mlflow server` over a database of its own, that can be killed and started again at the same address."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port, self.uri = home, port, f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.home}/mlflow.db", "--artifacts-destination", "files"]
        self.process = subprocess.Popen(
            command,
            cwd=self.home,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        )
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.5)
        raise TimeoutError("the server did not start")

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def server(tracking_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(tracking_home, port)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    server.start()
    yield server
    server.kill()


def test_a_server_that_dies_in_the_middle_of_a_training_gets_everything_when_it_is_back(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(step, {"loss": 1 / (step + 1), "kimg": step / 10}) for step in range(30)]
    with start_run("tiny", params=small_params(), recipe=small_recipe(), manifest=small_manifest()) as run:
        run.log_curves(rows[:10])
        run.log_samples(0, Image.new("L", (8, 8)))
        server.kill()
        started = time.monotonic()
        for row in rows[10:20]:
            run.log_curves([row])
        run.log_samples(15, Image.new("L", (8, 8)))
        assert time.monotonic() - started < 1, "training does not wait for the server"
        time.sleep(3)
        server.start()
        run.log_curves(rows[20:])
    assert "records are kept" in capsys.readouterr().err
    store = connect()
    metrics = store.client.get_metric_history(run.run_id, "loss")
    assert sorted(metric.step for metric in metrics) == list(range(30))
    assert store.client.get_run(run.run_id).info.status == "FINISHED"
    pictures = [file.path for file in store.client.list_artifacts(run.run_id, "images") if file.path.endswith(".png")]
    assert sorted(int(path.split("+")[2]) for path in pictures) == [0, 15]
