"""The records of a repository are found from wherever a stage runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganops.tracking.location import (
    RUNS_VIEW,
    artifact_location,
    redact,
    repository_root,
    runs_page,
    sqlite_path,
    tracking_uri,
)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)


@pytest.mark.parametrize("mark", [".git", ".dvc"])
def test_the_root_is_the_folder_above_that_holds_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    (tmp_path / mark).mkdir()
    inside = tmp_path / "some" / "folder"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert repository_root() == tmp_path
    assert tracking_uri() == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_temporary_copy_of_an_experiment_writes_to_the_repository_that_owns_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dvc exp run --temp` deletes its copy; DVC_ROOT names the repository."""
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "copy"
    (copy / ".git").mkdir(parents=True)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert tracking_uri() == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_relative_database_is_made_absolute_and_servers_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///records/all.db")
    assert tracking_uri() == f"sqlite:///{tmp_path}/records/all.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert tracking_uri() == "http://tracking:5000"


def test_artifacts_lie_next_to_a_database_or_where_a_server_decides() -> None:
    assert artifact_location("sqlite:////data/mlflow.db", "ganops") == "file:///data/mlruns/ganops"
    assert artifact_location("http://tracking:5000", "ganops") is None
    assert sqlite_path("http://tracking:5000") is None


@pytest.mark.parametrize(
    ("uri", "server"),
    [
        ("sqlite:////my data/mlflow.db", "http://127.0.0.1:5000"),
        ("postgresql://me:secret@db/mlflow", "http://127.0.0.1:5000"),
        ("http://tracking:5000/", "http://tracking:5000"),
        ("https://me:secret@host", "https://***@host"),
    ],
)
def test_the_page_of_the_runs_is_the_servers_or_that_of_make_ui(uri: str, server: str) -> None:
    assert runs_page(uri, "3") == f"{server}/#/experiments/3/runs?{RUNS_VIEW}"
    assert RUNS_VIEW.endswith("workflowType=machine_learning")


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("http://me:secret@host:5000/api?x=a@b", "http://***@host:5000/api?x=a@b"),
        ("postgresql://me:p%40ss@db/x and http://token@host", "postgresql://***@db/x and http://***@host"),
        ("http://host/path@version models:/ganops@champion", "http://host/path@version models:/ganops@champion"),
        ("sqlite:////data/mlflow.db", "sqlite:////data/mlflow.db"),
        ("postgresql://db/x?user=me&password=a%40b&port=1", "postgresql://db/x?user=me&password=***&port=1"),
        ("s3://b/k?X-Amz-Signature=abc&design=1", "s3://b/k?X-Amz-Signature=***&design=1"),
        ("http://me:se/cr#et@host:5000/a@b", "http://***@host:5000/a@b"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
    ],
)
def test_credentials_are_removed_from_addresses(text: str, redacted: str) -> None:
    assert redact(text) == redacted
