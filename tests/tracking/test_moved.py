"""A checkout that was moved or copied: artifacts are found next to the database, and new ones are written there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_model import register_small

from ganops.registry.load import registered_folder
from ganops.tracking.store import connect


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_models_and_runs_are_found_in_the_new_place(
    tracking_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    register_small(tracking_home)
    here = tmp_path / "a new place"
    (shutil.move if how == "moved" else shutil.copytree)(tracking_home, here)
    monkeypatch.chdir(here)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)  # MLflow sets it, for child processes
    store = connect()
    assert str(here) in capsys.readouterr().err
    assert registered_folder("models:/ganops/1").is_relative_to(here)
    experiment = store.client.get_experiment_by_name("ganops")
    assert experiment.artifact_location == (here / "mlruns" / "ganops").as_uri()
    (run,) = store.client.search_runs([experiment.experiment_id])
    assert [file.path for file in store.client.list_artifacts(run.info.run_id, "card")] == ["card/README.md"]
    made = store.client.create_run(store.experiment("ganops"))
    store.client.log_text(made.info.run_id, "hello", "note.txt")
    assert (here / "mlruns" / "ganops" / made.info.run_id / "artifacts" / "note.txt").is_file()
    connect()
    assert capsys.readouterr().err == "", "corrected once"


def test_a_location_that_a_person_chose_is_left_alone(tracking_home: Path, tmp_path: Path) -> None:
    (tracking_home / "mlruns").mkdir()
    store = connect()
    chosen = (tmp_path / "elsewhere").as_uri()
    store.client.create_experiment("mine", artifact_location=chosen)
    assert connect().client.get_experiment_by_name("mine").artifact_location == chosen
