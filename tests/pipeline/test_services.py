"""The flow with a Prefect server (where first_run ran), without one, and as a deployment that a worker runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from prefect_server import Server, working
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
    said = alone.run("-m", "pipeline.flows.training")
    assert "Starting temporary server" in said
    assert "Traceback" not in said
    assert "ran: nothing, every stage was up to date" in said
    assert "already champion" in said
    assert (records(checkout.folder), (checkout.folder / "dvc.lock").read_bytes()) == before


def test_as_a_deployment_a_worker_runs_it_and_hands_on_the_results(
    checkout: Checkout, server: Server, tmp_path: Path
) -> None:
    """Pull and push included, with a folder as the DVC remote; a clone then has all without running anything."""
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
    with working(checkout, log):
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
