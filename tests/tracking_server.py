"""A real `mlflow server` for tests: over a database of its own, killed and started again at the same address."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service import fail_on_traceback, free_port, wait_for_answer


class Server:
    """`mlflow server` over a database of its own, that can be killed and started again at the same address."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port, self.uri = home, port, f"http://127.0.0.1:{port}"
        self.log = home / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.home}/mlflow.db", "--artifacts-destination", "files"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.home,
                start_new_session=True,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            )
        wait_for_answer(f"{self.uri}/health", self.process, self.log)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def running_server(home: Path) -> Iterator[Server]:
    """A server on a free port over the database in `home`; fails on a traceback in the server's log."""
    server = Server(home, free_port())
    server.start()
    try:
        yield server
    finally:
        server.kill()
        fail_on_traceback(server.log)
