"""A training outlives its tracking server; what the server missed is sent when it is back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PIL import Image
from small_model import small_manifest, small_params, small_recipe
from tracking_server import running_server

from ganops.tracking import run as run_module
from ganops.tracking.run import RunFile, resume_run, start_run
from ganops.tracking.store import connect
from ganops.training.history import write_history
from ganops.workspace import WORKSPACE


@pytest.mark.slow
def test_a_server_that_dies_in_the_middle_of_a_training_gets_everything_when_it_is_back(
    tracking_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(step, {"loss": 1 / (step + 1), "kimg": step / 10}) for step in range(30)]
    with running_server(tracking_home) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
        with start_run("tiny", params=small_params(), recipe=small_recipe(), manifest=small_manifest()) as run:
            run.log_curves(rows[:10])
            run.log_samples(0, Image.new("L", (8, 8)))
            server.kill()
            started = time.monotonic()
            for row in rows[10:20]:
                run.log_curves([row])
            run.log_samples(15, Image.new("L", (8, 8)))
            assert time.monotonic() - started < 1, "training does not wait for the server"
            time.sleep(3)
            server.start()
            run.log_curves(rows[20:])
        assert "does not take records" in capsys.readouterr().err
        store = connect()
        metrics = store.client.get_metric_history(run.run_id, "train/loss")
        assert sorted(metric.step for metric in metrics) == list(range(30))
        assert store.client.get_run(run.run_id).info.status == "FINISHED"
        files = [file.path for file in store.client.list_artifacts(run.run_id, "images")]
        assert sorted(int(path.split("+")[2]) for path in files if path.endswith(".png")) == [0, 15]


@pytest.mark.slow
def test_a_run_whose_server_is_away_at_the_end_is_incomplete_until_a_later_stage_completes_it(
    tracking_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server misses most rows and a picture; whoever continues the run sends them from the training's results."""
    rows = [(step, {"loss": 1 / (step + 1), "kimg": step / 10}) for step in range(30)]
    trained, run_file = WORKSPACE.trained("tiny"), WORKSPACE.run_file("tiny")
    write_history(trained / "history.csv", [{"step": float(step), **values} for step, values in rows])
    for step in (0, 15):
        (trained / "samples").mkdir(exist_ok=True)
        Image.new("L", (8, 8)).save(trained / "samples" / f"step-{step:08d}.png")
    with running_server(tracking_home) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
        monkeypatch.setattr(run_module, "PATIENCE", 3.0)
        with start_run("tiny", params=small_params(), system_metrics=False) as run:
            RunFile(run_id=run.run_id, recipe="tiny").write(run_file)
            run.log_curves(rows[:10])
            run.log_samples(0, Image.new("L", (8, 8)))
            while run.outbox.waiting():
                time.sleep(0.05)
            server.kill()
            run.log_curves(rows[10:])
            run.log_samples(15, Image.new("L", (8, 8)))
        assert "incomplete" in capsys.readouterr().err
        server.start()
        store = connect()
        assert store.client.get_run(run.run_id).info.status != "FINISHED"
        with resume_run(run_file, params=small_params()):
            pass
        kept = store.client.get_run(run.run_id)
        assert kept.info.status == "FINISHED"
        metrics = store.client.get_metric_history(run.run_id, "train/loss")
        assert sorted(metric.step for metric in metrics) == list(range(30)), "each row once"
        files = [file.path for file in store.client.list_artifacts(run.run_id, "images")]
        assert sorted(int(path.split("+")[2]) for path in files if path.endswith(".png")) == [0, 15]
