"""The flow with a Prefect server (where first_run ran), without one, and as a deployment that a schedule runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect_server import Server, working
from service import wait_until
from tiny import Checkout, git, ran, records

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]


def test_with_a_server_the_run_and_what_the_stages_made_are_on_its_pages(
    first_run: tuple[Checkout, str], server: Server
) -> None:
    assert "train-gans" in first_run[1]
    run = server.list("flow_runs", sort="START_TIME_ASC")[0]
    assert run["state_type"] == "COMPLETED"
    names = {task["name"] for task in server.list("task_runs", flow_runs={"id": {"any_": [run["id"]]}})}
    assert {"prepare", "reference", "train@mlp", "evaluate@dcgan", "compare", "register", "gate"} <= names
    artifacts = {artifact["key"]: artifact["data"] for artifact in server.list("artifacts")}
    assert "| mlp |" in artifacts["compare"].replace("**", "")
    assert "| images_per_second |" in artifacts["train-mlp"]
    assert "| fid_classifier |" in artifacts["evaluate-mlp"]
    assert artifacts["evaluate-mlp"].count("data:image/png;base64,") == 1
    assert "champion" in artifacts["gate"]


def test_without_a_server_it_runs_too_and_skips_what_is_done(checkout: Checkout, tmp_path: Path) -> None:
    environment = {name: value for name, value in checkout.environment.items() if name != "PREFECT_API_URL"}
    alone = replace(checkout, environment=environment | {"PREFECT_HOME": str(tmp_path)})
    before = records(checkout.folder), (checkout.folder / "dvc.lock").read_bytes()
    said = alone.run("-m", "pipeline.flows.run")
    assert "Starting temporary server" not in said, "nothing has to run"
    assert "Traceback" not in said
    assert "ran: nothing, every stage was up to date" in said
    assert "already champion" in said
    assert (records(checkout.folder), (checkout.folder / "dvc.lock").read_bytes()) == before


def test_a_worker_runs_what_the_schedule_makes_and_hands_on_the_results(
    checkout: Checkout, server: Server, tmp_path: Path
) -> None:
    """`make deploy`, `make worker`, and then only time: the deployment of prefect.yaml with another cron.

    Pull and push included, with a folder as the DVC remote; a clone then has all without running anything.
    """
    store = tmp_path / "store"
    checkout.dvc("remote", "add", "--default", "store", str(store))
    file = checkout.folder / "prefect.yaml"
    project = yaml.safe_load(file.read_text())
    (schedule,) = next(each for each in project["deployments"] if each["name"] == "retrain")["schedules"]
    assert (schedule["cron"], schedule["active"]) == ("0 3 * * 1", True)
    schedule["cron"] = "* * * * * */10"  # every ten seconds: the sixth field is that of the seconds
    file.write_text(yaml.safe_dump(project))
    git(checkout.folder, "commit", "--quiet", "--all", "--message", "a remote, and often")
    prefect = ("-m", "pipeline", "prefect")
    # A worker asks every ten seconds where nobody tells it otherwise.
    checkout = replace(checkout, environment=checkout.environment | {"PREFECT_WORKER_QUERY_SECONDS": "1"})
    checkout.run(*prefect, "work-pool", "create", "ganops", "--type", "process", "--overwrite")
    checkout.run(*prefect, "--no-prompt", "deploy", "--all")
    (retrain,) = (found for found in server.list("deployments") if found["name"] == "retrain")
    before = records(checkout.folder)
    log = tmp_path / "worker.log"
    with working(checkout, log):
        wait_until(lambda: bool(begun(server, retrain["id"])), 120)
        server.post(f"deployments/{retrain['id']}/pause_deployment")  # one run is enough
        wait_until(lambda: all(run["end_time"] for run in begun(server, retrain["id"])), 300)
    first = begun(server, retrain["id"])[0]
    assert (first["state_type"], first["auto_scheduled"]) == ("COMPLETED", True), log.read_text()
    assert first["created_by"]["type"] == "SCHEDULE"
    assert records(checkout.folder) == before
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(checkout.folder), str(clone))
    other = replace(checkout, folder=clone)
    other.dvc("pull", "--run-cache")
    assert ran(other.dvc("repro", "compare")) == set(), "all came from the remote"


def begun(server: Server, deployment: str) -> list[dict[str, Any]]:
    """The deployment's runs that are more than planned, the first one first."""
    runs = server.list("flow_runs", sort="EXPECTED_START_TIME_ASC", deployments={"id": {"any_": [deployment]}})
    return [run for run in runs if run["state_type"] != "SCHEDULED"]
