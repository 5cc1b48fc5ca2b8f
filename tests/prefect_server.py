"""A Prefect server and a worker for tests: an own port, an own folder, ended with all their children."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from service import free_port, running, wait_for_answer, wait_until
from tiny import Checkout


class Server:
    """A Prefect server of this test session."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/api"

    def post(self, path: str, **content: object) -> Any:
        """What the server answers."""
        request = urllib.request.Request(
            f"{self.address}/{path}",
            data=json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def list(self, kind: str, **criteria: object) -> list[dict[str, Any]]:
        """What the server's list of flow_runs, artifacts, deployments ... holds."""
        found: list[dict[str, Any]] = self.post(f"{kind}/filter", **criteria)
        return found


@contextmanager
def serving(checkout: Checkout, home: Path) -> Iterator[Server]:
    """A server that answers; its own files and its log lie in `home`."""
    port = free_port()
    server, log = Server(port), home / "server.log"
    service = checkout.start_service(log, "prefect", "server", "start", "--port", str(port))
    with running(service, log):
        wait_for_answer(f"{server.address}/health", service, log)
        yield server


@contextmanager
def working(checkout: Checkout, log: Path) -> Iterator[None]:
    """The worker of `make worker`; what it runs comes to its end before the worker does."""
    service = checkout.start_service(log, "python", "-m", "pipeline.flows.worker", "--limit", "1")
    with running(service, log):
        yield
        wait_until(lambda: not psutil.Process(service.pid).children(recursive=True), 60)
