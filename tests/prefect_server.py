"""A Prefect server for tests: its own port, its own folder, ended with all its children."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tiny import Checkout

START_SECONDS = 180.0


class Server:
    """A Prefect server of this test session."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/api"

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def list(self, kind: str, **criteria: object) -> list[dict[str, Any]]:
        """What the server's list of flow_runs, artifacts, deployments ... holds."""
        request = urllib.request.Request(
            f"{self.address}/{kind}/filter",
            data=json.dumps(criteria).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            found: list[dict[str, Any]] = json.load(reply)
            return found


@contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """End a service with all its children when the block ends."""
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def serving(checkout: Checkout, home: Path) -> Iterator[Server]:
    """A server that answers; its own files and its log lie in `home`."""
    port = free_port()
    server, log = Server(port), home / "server.log"
    service = checkout.start_service(log, "prefect", "server", "start", "--port", str(port))
    with running(service):
        end = time.monotonic() + START_SECONDS
        while not server.answers():
            if service.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the Prefect server did not start:\n{log.read_text()}")
            time.sleep(0.5)
        yield server


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
