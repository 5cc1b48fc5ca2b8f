"""The workflows call targets that exist, with no more permissions than they need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ganops.settings import read_yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
CALL = re.compile(r"^\s*make((?: +[a-z-]+)+)", re.MULTILINE)


def steps_of(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def called(script: str) -> set[str]:
    return {target for call in CALL.findall(script) for target in call.split()}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_target_a_workflow_calls_exists(path: Path) -> None:
    targets = set().union(*(called(step.get("run", "")) for step in steps_of(read_yaml(path))))
    assert targets, f"{path.name} calls no target"
    assert targets <= TARGETS


def test_the_ci_script_calls_targets_that_exist() -> None:
    targets = called((ROOT / ".ci" / "run").read_text())
    assert {"test", "tiny"} <= targets <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_permissions_are_named_and_no_job_may_write_without_saying_so(path: Path) -> None:
    workflow = read_yaml(path)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        assert set(job.get("permissions", {})) <= {"contents", "pull-requests"}
        assert job["timeout-minutes"] <= 360


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_to_a_commit_and_keep_no_credentials(path: Path) -> None:
    """A tag can be moved to other code; the release that a commit belongs to stands beside it."""
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())
    assert used
    for action, comment in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r"  # v\d+\.\d+\.\d+", comment)
    for step in steps_of(read_yaml(path)):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_every_python_that_is_promised_is_tested() -> None:
    matrix = read_yaml(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["check"]["strategy"]["matrix"]["python"]
    lowest, highest = re.findall(r"3\.(\d+)", re.search(r"requires-python.*", (ROOT / "pyproject.toml").read_text())[0])
    assert matrix == [f"3.{minor}" for minor in range(int(lowest), int(highest))]


def test_only_the_job_that_runs_nothing_of_the_project_may_write() -> None:
    jobs = read_yaml(ROOT / ".github" / "workflows" / "retrain.yml")["jobs"]
    writing = [name for name, job in jobs.items() if "write" in job["permissions"].values()]
    assert writing == ["propose"]
    assert not set().union(*(called(step.get("run", "")) for step in jobs["propose"]["steps"]))


def test_nothing_is_promoted_without_a_registry_that_outlives_the_machine() -> None:
    workflow = read_yaml(ROOT / ".github" / "workflows" / "retrain.yml")
    (script,) = (step["run"] for step in steps_of(workflow) if step.get("name") == "retrain")
    with_server, _, without = script.partition("else")
    assert 'if [ -n "$MLFLOW_TRACKING_URI" ]' in with_server
    assert "PROMOTE=no" not in with_server
    assert "make retrain PROMOTE=no" in without
    assert "mlflow" not in "".join(step.get("with", {}).get("path", "") for step in steps_of(workflow))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_person_types_in_never_becomes_part_of_a_script(path: Path) -> None:
    """An input inside `run` is code of whoever may start the workflow; through the environment it is text."""
    for step in steps_of(read_yaml(path)):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_failure_is_lost_in_a_pipe(path: Path) -> None:
    """The shell of a step has `-e` and no `pipefail`: of a pipe only the last command counts."""
    for step in steps_of(read_yaml(path)):
        assert not re.search(r"[^|]\|[^|]", step.get("run", ""))


def test_ci_checks_everything_and_skips_all_the_second_time() -> None:
    scripts = [step.get("run", "") for step in steps_of(read_yaml(ROOT / ".github" / "workflows" / "ci.yml"))]
    assert {"test", "tiny"} <= set().union(*map(called, scripts))


def test_a_package_that_was_not_audited_is_no_success() -> None:
    """Without --strict pip-audit passes over what it cannot look up."""
    assert "--strict" in re.search(r"pip-audit@.*", (ROOT / "Makefile").read_text())[0]


def test_retraining_is_scheduled_started_by_hand_and_never_twice_at_once() -> None:
    workflow = read_yaml(ROOT / ".github" / "workflows" / "retrain.yml")
    assert set(workflow["on"]) == {"schedule", "workflow_dispatch"}
    assert workflow["on"]["workflow_dispatch"]["inputs"]
    assert workflow["concurrency"]["cancel-in-progress"] is False
