"""One run per model, complete and without duplicates, through kills, unknown runs and outages."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from forks import Fork
from PIL import Image
from service import wait_until
from small_model import small_manifest, small_params, small_recipe, small_scores
from tracked_processes import train_and_die

from ganops.errors import TrackingError, TrainingError
from ganops.tracking.run import PARENT_VARIABLE, RunFile, flow_run, read_run_file, resume_run, start_run
from ganops.tracking.store import Store, connect

RUN_FILE = Path("results/runs/tiny.json")


def image() -> Image.Image:
    return Image.new("L", (8, 8), 128)


def history(store: Store, run_id: str, name: str) -> list[tuple[int, float]]:
    """(step, value) of a metric, as the store has them, duplicates included."""
    return sorted((metric.step, metric.value) for metric in store.client.get_metric_history(run_id, name))


def test_a_finished_run_holds_params_data_curves_samples_scores_health_and_files(tracking_home: Path) -> None:
    with start_run("tiny", params=small_params(), recipe=small_recipe(), manifest=small_manifest()) as run:
        run.log_curves([(step, {"D(G(z))": step / 10, "kimg": step}) for step in range(2500)])
        run.log_samples(10, image())
        run.log_samples(2490, image())
        run.log_health({"step": 20, "kind": "collapse", "detail": "samples are alike"})
        run.log_scores(small_scores(fid=12.5, kid=0.01, errors={"fid": 0.5}))
        (tracking_home / "history.csv").write_text("step\n")
        run.log_file(tracking_home / "history.csv", "plots")
        run.set_tags({"long": "x" * 9000})
    store = connect()
    kept = store.client.get_run(run.run_id)
    assert kept.info.status == "FINISHED"
    assert kept.info.run_name == "tiny"
    assert kept.data.params["recipe.optimizers.generator.lr"] == "0.001"
    assert kept.data.params["recipe.networks.generator.widths"] == "[8]"
    assert kept.data.params["data.source"] == "digits"
    assert kept.data.params["seed"] == "7"
    assert not any(name.startswith(("gate", "evaluate")) for name in kept.data.params)
    assert kept.data.tags["recipe.digest"] == small_recipe().digest()
    assert kept.data.tags["data.digest"] == "ab" * 32
    assert kept.data.tags["health.collapse"] == "step 20; detail: samples are alike"
    assert kept.data.tags["long"].endswith("(9000 characters in all)")
    assert (kept.data.metrics["score/fid"], kept.data.metrics["score/error/fid"]) == (12.5, 0.5)
    assert kept.data.metrics["health/collapse"] == 1
    assert history(store, run.run_id, "train/D_G_z") == [(step, step / 10) for step in range(2500)]
    (entry,) = kept.inputs.dataset_inputs
    assert (entry.dataset.name, entry.dataset.digest) == ("digits", "ab" * 6)
    assert {tag.key: tag.value for tag in entry.tags}["sha256"] == "ab" * 32
    pictures = [file.path for file in store.client.list_artifacts(run.run_id, "images")]
    assert sum(path.endswith(".png") for path in pictures) == 2
    artifacts = tracking_home / "mlruns" / "ganops" / run.run_id / "artifacts"
    assert json.loads((artifacts / "protocol.json").read_text())["shared"]["features"] == "inception-v3"
    assert (artifacts / "plots" / "history.csv").exists()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("a bug"), "FAILED"),
        (TrainingError("unhealthy"), "FAILED"),
        (TrainingError("terminated by SIGTERM", exit_code=143), "KILLED"),
        (KeyboardInterrupt(), "KILLED"),
    ],
)
def test_a_run_that_ends_badly_has_that_status_and_finishes_when_resumed(
    tracking_home: Path, error: BaseException, status: str
) -> None:
    def train() -> None:
        with start_run("tiny", params=small_params(), system_metrics=False) as run:
            RunFile(run_id=run.run_id, recipe="tiny").write(RUN_FILE)
            run.log_curves([(0, {"loss": 1.0, "kimg": 0.0})])
            raise error

    with pytest.raises(type(error)):
        train()
    client, run_id = connect().client, read_run_file(RUN_FILE).run_id
    ended = client.get_run(run_id)
    assert ended.info.status == status
    assert ended.data.metrics == {"train/loss": 1.0, "train/kimg": 0.0}, "what came before the end is kept"
    with resume_run(RUN_FILE, params=small_params()) as resumed:
        assert client.get_run(run_id).info.status == "RUNNING"
    assert resumed.run_id == run_id
    assert client.get_run(run_id).info.status == "FINISHED"


def test_after_a_sigkill_no_step_is_logged_twice_and_holes_are_filled(tracking_home: Path) -> None:
    assert Fork(train_and_die).wait() == -signal.SIGKILL
    store, run_id = connect(), read_run_file(RUN_FILE).run_id
    assert store.client.get_run(run_id).info.status == "RUNNING"
    with resume_run(RUN_FILE, params=small_params()) as run:
        assert run.last_logged_step() == 6
        for step in range(2, 9):
            run.log_curves([(step, {"loss": float(step), "kimg": step / 10})])
            if step % 3 == 0:
                run.log_samples(step, image())
    assert history(store, run_id, "train/loss") == [(step, float(step)) for step in range(9)]
    pictures = [file.path for file in store.client.list_artifacts(run_id, "images") if file.path.endswith(".png")]
    assert sorted(int(path.split("+")[2]) for path in pictures) == [0, 3, 6]


def test_a_run_the_store_does_not_know_is_replaced_once(tracking_home: Path) -> None:
    """As after a fresh clone: the run file came with the results, the database did not."""
    RunFile(run_id="0" * 32, recipe="tiny").write(RUN_FILE)
    with resume_run(RUN_FILE, params=small_params(), recipe=small_recipe(), manifest=small_manifest()) as first:
        first.log_scores(small_scores(fid=1.0))
    with resume_run(RUN_FILE, params=small_params()) as second:
        assert second.run_id == first.run_id
    assert read_run_file(RUN_FILE).run_id == "0" * 32, "an output of another stage is not rewritten"
    kept = connect().client.get_run(first.run_id)
    assert kept.data.tags["restored_from"] == "0" * 32
    assert kept.data.params["recipe.batch_size"] == "4"


def test_a_deleted_run_is_replaced_too(tracking_home: Path) -> None:
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        RunFile(run_id=run.run_id, recipe="tiny").write(RUN_FILE)
    connect().client.delete_run(run.run_id)
    with resume_run(RUN_FILE, params=small_params()) as resumed:
        assert resumed.run_id != run.run_id
    assert connect().client.get_run(resumed.run_id).data.tags["restored_from"] == run.run_id


@pytest.mark.parametrize("content", [None, "", "{}", '{"run_id": 7, "recipe": "tiny"}'])
def test_a_missing_or_damaged_run_file_is_a_clear_error(tracking_home: Path, content: str | None) -> None:
    if content is not None:
        RUN_FILE.parent.mkdir(parents=True)
        RUN_FILE.write_text(content)
    with pytest.raises(TrackingError) as error, resume_run(RUN_FILE, params=small_params()):
        pass
    assert error.value.code == "damaged-run-file"


def test_runs_of_a_flow_have_it_as_parent(tracking_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with flow_run("training", params=small_params(), tags={"trigger": "schedule"}) as flow:
        monkeypatch.setenv(PARENT_VARIABLE, flow.run_id)
        with start_run("tiny", params=small_params(), system_metrics=False) as run:
            pass
    client = connect().client
    assert client.get_run(run.run_id).data.tags["mlflow.parentRunId"] == flow.run_id
    parent = client.get_run(flow.run_id)
    assert (parent.data.tags["kind"], parent.data.tags["trigger"]) == ("flow", "schedule")
    assert parent.data.params["gate.mode"] == "enabled"


def test_a_parent_the_store_does_not_know_is_only_a_warning(
    tracking_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PARENT_VARIABLE, "f" * 32)
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        pass
    assert "does not know the parent run" in capsys.readouterr().err
    assert "mlflow.parentRunId" not in connect().client.get_run(run.run_id).data.tags


def test_a_run_of_a_dvc_experiment_bears_its_name(tracking_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "hasty-fox")
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        pass
    kept = connect().client.get_run(run.run_id)
    assert kept.info.run_name == "hasty-fox/tiny"
    assert kept.data.tags["dvc.experiment"] == "hasty-fox"


def test_a_long_run_is_watched_for_what_it_takes_of_the_machine(
    tracking_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.2")
    client, key = connect().client, "system/cpu_utilization_percentage"
    with start_run("tiny", params=small_params()) as run:
        run.log_curves([(0, {"loss": 1.0})])
        wait_until(lambda: key in client.get_run(run.run_id).data.metrics, 60)
    assert 0 <= client.get_run(run.run_id).data.metrics[key] <= 100
    with start_run("tiny", params=small_params(), system_metrics=False) as other:
        assert other.last_logged_step() == -1


def test_a_run_of_a_training_that_has_ended_gets_what_its_store_has_missed(tracking_home: Path) -> None:
    """After a fresh clone the curves and grids come from the results; odd files among them are no error."""
    trained = tracking_home / "results/train/tiny"
    (trained / "samples").mkdir(parents=True)
    (trained / "history.csv").write_text("step,kimg,loss,late\n1,0.1,5,\n2,0.2,4,nan\n")
    image().save(trained / "samples" / "step-00000002.png")
    image().save(trained / "samples" / "step-odd.png")
    RunFile(run_id="0" * 32, recipe="tiny").write(RUN_FILE)
    for _ in range(2):
        with resume_run(RUN_FILE, params=small_params()) as run:
            pass
    store = connect()
    assert history(store, run.run_id, "train/loss") == [(1, 5.0), (2, 4.0)]
    assert [step for step, _ in history(store, run.run_id, "train/late")] == [2]
    pictures = [file.path for file in store.client.list_artifacts(run.run_id, "images") if file.path.endswith(".png")]
    assert [int(path.split("+")[2]) for path in pictures] == [2]
    (trained / "history.csv").write_text("torn,\n1")
    with resume_run(RUN_FILE, params=small_params()):
        pass
