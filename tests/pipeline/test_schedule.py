"""A schedule alone makes runs, and a worker runs them: `make server`, `make deploy`, `make worker`, and then only time.

The deployment is that of prefect.yaml with another cron. A flow that does nothing takes the place of the retraining.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect_server import Server, serving, working
from service import wait_until
from tiny import Checkout, clean_environment, make_checkout

FLOW = """
from prefect import flow


@flow(name="retrain-gans")
def retrain_gans(pull: bool, push: bool, parallel: int | None) -> None:
    print("nothing is trained:", pull, push, parallel)
"""


@pytest.mark.slow
def test_a_worker_runs_what_the_schedule_of_prefect_yaml_makes(tmp_path: Path) -> None:
    folder = make_checkout(tmp_path / "checkout")
    (folder / "pipeline" / "flows" / "retraining.py").write_text(FLOW)
    project = yaml.safe_load((folder / "prefect.yaml").read_text())
    (schedule,) = next(each for each in project["deployments"] if each["name"] == "retrain")["schedules"]
    assert schedule["active"]
    schedule["cron"] = "* * * * * */10"  # every ten seconds: the sixth field is that of the seconds
    (folder / "prefect.yaml").write_text(yaml.safe_dump(project))

    log = tmp_path / "worker.log"
    # A worker asks every ten seconds where nobody tells it otherwise.
    environment = clean_environment() | {"PREFECT_HOME": str(tmp_path), "PREFECT_WORKER_QUERY_SECONDS": "1"}
    checkout = Checkout(folder, environment)
    with serving(checkout, tmp_path) as server:
        environment["PREFECT_API_URL"] = server.address
        prefect = ("-m", "pipeline", "prefect")
        checkout.run(*prefect, "work-pool", "create", "ganops", "--type", "process")
        checkout.run(*prefect, "--no-prompt", "deploy", "--name", "retrain")
        with working(checkout, log):
            wait_until(lambda: bool(begun(server)), 120)
            (deployment,) = server.list("deployments")
            server.post(f"deployments/{deployment['id']}/pause_deployment")  # one run is enough
            wait_until(lambda: begun(server)[0]["state_type"] not in ("PENDING", "RUNNING"), 120)
        (run,) = begun(server)
    assert run["state_type"] == "COMPLETED", log.read_text()
    assert run["auto_scheduled"]
    assert run["created_by"]["type"] == "SCHEDULE"
    assert "nothing is trained: True True None" in log.read_text()


def begun(server: Server) -> list[dict[str, Any]]:
    """The runs that are more than planned."""
    return [run for run in server.list("flow_runs") if run["state_type"] != "SCHEDULED"]
