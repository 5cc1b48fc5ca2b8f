"""Runs of killed processes are ended, completed where their training had ended, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from forks import Fork
from PIL import Image
from small_model import small_params
from tracked_processes import keep_run_open

from ganops.errors import TrackingError
from ganops.tracking.dead import end_dead_runs
from ganops.tracking.process import HOST, process_tags
from ganops.tracking.run import RunFile, start_run
from ganops.tracking.store import connect
from ganops.tracking.tracked import INCOMPLETE
from ganops.training.history import write_history
from ganops.workspace import WORKSPACE


def opened(kind: str) -> tuple[Fork, str]:
    """A process that keeps a run open, and the id of the run."""
    process = Fork(keep_run_open, kind)
    return process, process.receive()


def leave_results(run_id: str) -> None:
    """What a training leaves that has ended: five rows, a sample grid, facts."""
    trained = WORKSPACE.trained("tiny")
    write_history(trained / "history.csv", [{"step": float(step), "loss": 1.0, "kimg": step / 10} for step in range(5)])
    (trained / "samples").mkdir()
    Image.new("L", (8, 8)).save(trained / "samples" / "step-00000002.png")
    (trained / "training.json").write_text(
        '{"device": "cpu", "selected": "best", "health_events": [{"kind": "collapse", "step": 2, "detail": "alike"}]}'
    )
    RunFile(run_id=run_id, recipe="tiny").write(WORKSPACE.run_file("tiny"))


def test_runs_of_killed_processes_end_and_a_run_at_work_stays_open(tracking_home: Path) -> None:
    working, open_run = opened("train")
    killed = [opened("flow"), opened("train")]
    for process, _ in killed:
        process.kill()
    store = connect()
    try:
        said = end_dead_runs(store, "ganops")
        assert store.client.get_run(open_run).info.status == "RUNNING"
    finally:
        working.kill()
    assert sorted(said) == sorted(
        f"run {name} ({run}) of a killed process is KILLED now"
        for name, (_, run) in zip(("train-gans", "tiny"), killed, strict=True)
    )
    assert {store.client.get_run(run).info.status for _, run in killed} == {"KILLED"}
    assert len(end_dead_runs(store, "ganops")) == 1
    assert end_dead_runs(store, "ganops") == []


def test_a_run_whose_training_had_ended_is_completed_once(tracking_home: Path) -> None:
    process, run_id = opened("train")
    process.kill()
    leave_results(run_id)
    store = connect()
    assert end_dead_runs(store, "ganops") == [f"run tiny ({run_id}) is complete and FINISHED now"]
    run = store.client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert [metric.step for metric in store.client.get_metric_history(run_id, "train/loss")] == [0, 1, 2, 3, 4]
    assert len(store.client.get_metric_history(run_id, "health/collapse")) == 1
    assert run.data.tags["health.collapse"] == "step 2; detail: alike"
    assert (run.data.tags["selected"], run.data.tags["samples.steps"]) == ("best", "2")
    files = {file.path for file in store.client.list_artifacts(run_id)}
    assert {"history.csv", "training.json", "images"} <= files


def test_an_incomplete_run_is_completed(tracking_home: Path) -> None:
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        pass
    leave_results(run.run_id)
    store = connect()
    store.client.set_tag(run.run_id, INCOMPLETE, "incomplete: 5 records are missing")
    store.client.set_terminated(run.run_id, "FAILED")
    store.client.set_tag(run.run_id, "process.pid", "999999999")
    assert len(end_dead_runs(store, "ganops")) == 1
    kept = store.client.get_run(run.run_id)
    assert (kept.info.status, kept.data.tags[INCOMPLETE]) == ("FINISHED", "")
    assert len(store.client.get_metric_history(run.run_id, "train/loss")) == 5
    assert end_dead_runs(store, "ganops") == []


def test_what_another_machine_left_open_is_not_touched(tracking_home: Path) -> None:
    process, run_id = opened("train")
    process.kill()
    store = connect()
    store.client.set_tag(run_id, HOST, "another")
    assert end_dead_runs(store, "ganops", ["a third"]) == []
    assert store.client.get_run(run_id).info.status == "RUNNING"
    assert len(end_dead_runs(store, "ganops", ["a third", "another"])) == 1
    assert store.client.get_run(run_id).info.status == "KILLED"


def test_a_run_at_work_on_this_machine_stays_open_whatever_is_named(tracking_home: Path) -> None:
    process, run_id = opened("train")
    store = connect()
    try:
        assert end_dead_runs(store, "ganops", [process_tags()[HOST]]) == []
        assert store.client.get_run(run_id).info.status == "RUNNING"
    finally:
        process.kill()


def test_the_name_of_a_machine_has_no_quotes(tracking_home: Path) -> None:
    opened("train")[0].kill()
    with pytest.raises(TrackingError) as caught:
        end_dead_runs(connect(), "ganops", ["a' OR 'b"])
    assert caught.value.code == "unknown-machine"


@pytest.mark.parametrize("experiment", ["ganops", "nobody's"])
def test_without_runs_there_is_nothing_to_end(tracking_home: Path, experiment: str) -> None:
    assert end_dead_runs(connect(), experiment) == []
