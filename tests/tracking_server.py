"""A real `mlflow server` for tests: over a database of its own, killed and started again at the same address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


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


@contextmanager
def running_server(home: Path) -> Iterator[Server]:
    """A server on a free port over the database in `home`."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        server = Server(home, free.getsockname()[1])
    server.start()
    try:
        yield server
    finally:
        server.kill()
