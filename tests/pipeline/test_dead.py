"""Prefect's record of a flow whose process was killed: crashed, as soon as the next flow of this checkout begins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.logging import disable_run_logger
from prefect.states import Pending
from prefect_server import Server

from ganops.settings import read_yaml
from ganops.tracking.process import process_tags
from pipeline.environment import DEFAULTS
from pipeline.flows import retraining, searching, spread, training
from pipeline.flows.dead import GRACE, WORKER, _has_died, worker_name

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = textwrap.dedent(
    """
    import json, os, signal, sys
    import pipeline
    from prefect import flow, task
    from pipeline.flows.dead import end_dead_flow_runs

    @task
    def work():
        os.kill(os.getpid(), signal.SIGKILL)

    @flow(name="train-gans")
    def train_gans(killed: bool):
        print(json.dumps(end_dead_flow_runs()), flush=True)
        if killed:
            work()

    train_gans(sys.argv[1] == "killed")
    """
)


def run(home: Path, server: Server, how: str) -> subprocess.CompletedProcess[str]:
    """A flow of that name, which dies or not."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"PREFECT_HOME": str(home / "prefect"), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    environment |= {"PREFECT_API_URL": server.address}
    command = [sys.executable, "-c", PROGRAM, how]
    return subprocess.run(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True, timeout=300)


@pytest.mark.slow
@pytest.mark.xdist_group("pipeline")
def test_a_flow_run_of_a_killed_process_crashes_when_the_next_one_begins(tmp_path: Path, server: Server) -> None:
    (tmp_path / ".dvc").mkdir()
    assert run(tmp_path, server, "killed").returncode == -signal.SIGKILL
    alive = run(tmp_path, server, "alive")
    assert alive.returncode == 0
    (said,) = json.loads(alive.stdout.splitlines()[0])
    assert said.endswith("of a killed process has crashed")
    completed, crashed = server.list("flow_runs", sort="START_TIME_DESC", limit=2)
    assert (crashed["state_type"], completed["state_type"]) == ("CRASHED", "COMPLETED")
    tasks = server.list("task_runs", flow_runs={"id": {"any_": [crashed["id"]]}})
    assert [task["state_type"] for task in tasks] != ["RUNNING"]


def pending(labels: dict[str, str], since: float = 0, pid: int | None = None) -> FlowRun:
    """A run that a worker has taken `since` seconds ago; pid: of the process that it started for the run."""
    state = Pending(timestamp=datetime.now(UTC) - timedelta(seconds=since))
    found = FlowRun(flow_id=uuid.uuid4(), deployment_id=uuid.uuid4(), labels=labels, state=state, state_type=state.type)
    found.infrastructure_pid = None if pid is None else str(pid)
    return found


def dead_worker() -> str:
    """The name of a worker of this machine that has ended."""
    return worker_name().replace(f" {os.getpid()} ", " 999999999 ")


def test_a_run_is_dead_that_a_killed_worker_took_and_no_process_runs(tmp_path: Path) -> None:
    assert _has_died(pending({WORKER: dead_worker()}))
    assert not _has_died(pending({WORKER: worker_name()})), "its worker is at work"
    assert not _has_died(pending({WORKER: f"other {dead_worker().partition(' ')[2]}"})), "of another machine"
    assert not _has_died(pending({WORKER: "ProcessWorker 407eb58e"})), "nothing is known of that worker"
    assert _has_died(pending(dict(process_tags()) | {"process.pid": "999999999"}))


def test_a_flow_that_has_just_been_started_outlives_its_worker(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)", "prefect.engine"]
    with subprocess.Popen(command) as engine:
        assert not _has_died(pending({WORKER: dead_worker()}, pid=engine.pid))
        engine.kill()
    assert _has_died(pending({WORKER: dead_worker()}, pid=engine.pid))


def test_a_run_whose_worker_was_killed_before_it_left_its_name_is_dead_after_the_grace() -> None:
    limit = read_yaml(ROOT / "prefect.yaml")["deployments"][0]["concurrency_limit"]
    assert timedelta(seconds=limit["grace_period_seconds"]) == GRACE
    assert not _has_died(pending({}, since=GRACE.seconds - 5))
    assert _has_died(pending({}, since=GRACE.seconds + 5))


@pytest.mark.parametrize(
    "call",
    [
        training.train_gans.fn,
        retraining.retrain_gans.fn,
        retraining.watch_gans.fn,
        spread.spread_gans.fn,
        lambda: spread.stage_gans.fn("prepare", "abc"),
        lambda: searching.search_recipe.fn("dcgan"),
    ],
)
def test_each_flow_begins_by_saying_which_process_it_is(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]
) -> None:
    """The flow run names its process, so that `dead` can tell a killed run from one at work."""

    def begun() -> list[str]:
        raise EOFError

    monkeypatch.setattr("pipeline.flows.begin.end_dead_flow_runs", begun)
    monkeypatch.setattr(spread, "has_remote", lambda: False)
    monkeypatch.setattr(searching, "run_search", lambda *_: None)
    with disable_run_logger(), pytest.raises(EOFError):
        call()


def test_no_schedule_can_be_blocked_for_good() -> None:
    """What was seen with CANCEL_NEW and leases in memory: docs/orchestration.md."""
    limits = [
        each["concurrency_limit"] for each in read_yaml(ROOT / "prefect.yaml")["deployments"] if "schedules" in each
    ]
    assert limits
    assert {limit["collision_strategy"] for limit in limits} == {"ENQUEUE"}
    assert DEFAULTS["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"].endswith(".filesystem")
