"""A running training in its MLflow run: rows of curves are sent together, each once, and none stays behind."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_model import SPEC, small_params

from ganops.data.rows import Rows
from ganops.tracking import callback as module
from ganops.tracking.callback import RunCallback
from ganops.tracking.run import start_run
from ganops.tracking.store import connect

ROWS = [{"step": float(step), "kimg": step / 10, "loss": 1 / step} for step in range(1, 6)]


def logged(run_id: str) -> list[int]:
    return [metric.step for metric in connect().client.get_metric_history(run_id, "train/loss")]


def test_rows_wait_for_each_other_and_are_sent_once(tracking_home: Path) -> None:
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        callback = RunCallback(run, SPEC.fields)
        for row in ROWS:
            callback.on_log(row)
        assert run.last_logged_step() == -1, "none has been sent yet"
        callback.flush()
        for row in ROWS:  # as after a resume: rows since the checkpoint once more
            callback.on_log(row)
        callback.flush()
    assert logged(run.run_id) == [1, 2, 3, 4, 5]


def test_a_row_is_sent_when_the_others_have_waited_long_enough(
    tracking_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.0)
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        callback = RunCallback(run, SPEC.fields)
        callback.on_log(ROWS[0])
        assert run.last_logged_step() == 1


def test_samples_are_drawn_by_the_first_field_that_can_be(tracking_home: Path) -> None:
    labels, images = torch.zeros(4, dtype=torch.int64), torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        callback = RunCallback(run, SPEC.fields)
        callback.on_samples(3, Rows({"label": labels, "image": images}))
        callback.on_samples(5, Rows({"label": labels}))
    files = [file.path for file in connect().client.list_artifacts(run.run_id, "images")]
    assert [int(path.split("+")[2]) for path in files if path.endswith(".png")] == [3]
