"""A training outlives its tracking server; what the server missed reaches it when it is back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PIL import Image
from small_model import small_manifest, small_params, small_recipe
from tracking_server import running_server

from ganops.tracking.run import start_run
from ganops.tracking.store import connect


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
        assert "records are kept" in capsys.readouterr().err
        store = connect()
        metrics = store.client.get_metric_history(run.run_id, "loss")
        assert sorted(metric.step for metric in metrics) == list(range(30))
        assert store.client.get_run(run.run_id).info.status == "FINISHED"
        files = [file.path for file in store.client.list_artifacts(run.run_id, "images")]
        assert sorted(int(path.split("+")[2]) for path in files if path.endswith(".png")) == [0, 15]
