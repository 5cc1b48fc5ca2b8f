"""`make ui` names the page of the runs, and starts MLflow on this checkout's database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ganops.tracking.location import RUNS_VIEW
from pipeline.ui import main

ROOT = Path(__file__).parents[2]


def test_it_prints_the_page_of_the_experiment_and_serves_the_database(
    tracking_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tracking_home / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.setattr("pipeline.ui.enter", lambda: None)  # tests have an environment of their own
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _program, words: started.append(words))
    main()
    page = f"http://127.0.0.1:5000/#/experiments/1/runs?{RUNS_VIEW}"
    assert capsys.readouterr().out == f"MLflow, ready in some seconds: {page}\n"
    database = f"sqlite:///{tracking_home / 'mlflow.db'}"
    assert [words[1:] for words in started] == [["ui", "--workers", "1", "--backend-store-uri", database]]
