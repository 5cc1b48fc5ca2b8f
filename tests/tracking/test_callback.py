"""What a training tells while it runs: rows of curves go out together, each once, and none stays behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_model import small_params

from ganops.tracking import observer as module
from ganops.tracking.callback import RunCallback
from ganops.tracking.run import start_run
from ganops.tracking.store import connect

ROWS = [{"step": float(step), "kimg": step / 10, "loss": 1 / step} for step in range(1, 6)]


def logged(run_id: str) -> list[int]:
    return [metric.step for metric in connect().client.get_metric_history(run_id, "loss")]


def test_rows_wait_for_each_other_and_are_sent_once(tracking_home: Path) -> None:
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        observer = RunCallback(run)
        for row in ROWS:
            observer.row(row)
        assert run.last_logged_step() == -1, "none has gone out yet"
        observer.flush()
        for row in ROWS:  # as after a training: the whole history once more
            observer.row(row)
        observer.flush()
    assert logged(run.run_id) == [1, 2, 3, 4, 5]


def test_a_row_goes_out_when_the_others_have_waited_long_enough(
    tracking_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.0)
    with start_run("tiny", params=small_params(), system_metrics=False) as run:
        observer = RunCallback(run)
        observer.row(ROWS[0])
        assert run.last_logged_step() == 1
