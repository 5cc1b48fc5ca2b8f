"""The flow with a Prefect server, and as a deployment that a worker runs; without a server it runs in first_run."""

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
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import Checkout, git, ran, records

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

    def list(self, kind: str) -> list[dict[str, Any]]:
        """What the server's list of flow_runs, artifacts, deployments ... holds."""
        request = urllib.request.Request(
            f"{self.address}/{kind}/filter", data=b"{}", headers={"Content-Type": "application/json"}
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


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="module")
def served(
    first_run: tuple[Checkout, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Checkout, Server]]:
    """The checkout beside a Prefect server of its own."""
    port = free_port()
    server = Server(port)
    home = tmp_path_factory.mktemp("prefect")
    environment = {"PREFECT_HOME": str(home), "PREFECT_API_URL": server.address}
    checkout = replace(first_run[0], environment=first_run[0].environment | environment)
    checkout.restore()
    service = checkout.start_service(home / "server.log", "prefect", "server", "start", "--port", str(port))
    with running(service):
        end = time.monotonic() + START_SECONDS
        while not server.answers():
            assert service.poll() is None, (home / "server.log").read_text()
            assert time.monotonic() < end, (home / "server.log").read_text()
            time.sleep(0.5)
        yield checkout, server


def test_with_a_server_the_run_and_what_the_stages_made_are_on_its_pages(served: tuple[Checkout, Server]) -> None:
    checkout, server = served
    checkout.set("compare.score=is")
    said = checkout.run("-m", "pipeline.flows.training")
    assert {"compare"} <= ran(said) <= {"compare", "register"}
    (run,) = server.list("flow_runs")
    assert run["state_type"] == "COMPLETED"
    names = {task["name"] for task in server.list("task_runs")}
    assert {"prepare", "train@mlp", "evaluate@dcgan", "compare", "register", "gate"} <= names
    artifacts = {artifact["key"]: artifact["data"] for artifact in server.list("artifacts")}
    assert "| mlp |" in artifacts["compare"].replace("**", "")
    assert "champion" in artifacts["gate"]


def test_as_a_deployment_a_worker_runs_it_and_hands_on_the_results(
    served: tuple[Checkout, Server], tmp_path: Path
) -> None:
    """Pull and push included, with a folder as the DVC remote; a clone then has all without running anything."""
    checkout, server = served
    checkout.restore()
    store = tmp_path / "store"
    checkout.dvc("remote", "add", "--default", "store", str(store))
    git(checkout.folder, "commit", "--quiet", "--all", "--message", "a remote")
    prefect = ("-m", "pipeline", "prefect")
    checkout.run(*prefect, "work-pool", "create", "ganops", "--type", "process", "--overwrite")
    checkout.run(*prefect, "--no-prompt", "deploy", "--all")
    (retrain,) = (found for found in server.list("deployments") if found["name"] == "retrain")
    assert [schedule["schedule"]["cron"] for schedule in retrain["schedules"]] == ["0 3 * * 1"]
    before = records(checkout.folder)
    log = tmp_path / "worker.log"
    with running(checkout.start_service(log, "prefect", "worker", "start", "--pool", "ganops")):
        checkout.run(*prefect, "deployment", "run", "retrain-gans/retrain", "--watch", "--watch-timeout", "300")
    states = {run["state_type"] for run in server.list("flow_runs")}
    assert states <= {"COMPLETED", "SCHEDULED"}, log.read_text()
    assert records(checkout.folder) == before
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(checkout.folder), str(clone))
    other = replace(checkout, folder=clone)
    other.dvc("pull", "--run-cache")
    said = other.dvc("repro")
    assert ran(said) == {"register"}, "a version is made in each registry; all else came from the remote"
    assert records(clone)["model_versions"] == 1
