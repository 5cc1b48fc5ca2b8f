"""The store is made once, migrated once, and found missing quickly."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from forks import Fork
from tracked_processes import make_database

from ganops.errors import TrackingError
from ganops.tracking.store import connect

HEAD_REVISION = "SELECT version_num FROM alembic_version"


@pytest.mark.slow
def test_two_processes_that_start_at_once_make_one_sound_database(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    started = [Fork(make_database, uri) for _ in range(2)]
    assert [process.receive() for process in started] == ["1", "1"], "both see the same experiment"
    assert [process.wait() for process in started] == [0, 0]


def test_artifacts_lie_next_to_the_database(tracking_home: Path) -> None:
    store = connect()
    assert store.uri == f"sqlite:///{tracking_home}/mlflow.db"
    run = store.client.create_run(store.experiment("ganops"))
    store.client.log_text(run.info.run_id, "hello", "note.txt")
    assert (tracking_home / "mlruns" / "ganops" / run.info.run_id / "artifacts" / "note.txt").read_text() == "hello"


def test_an_older_database_is_migrated_and_the_old_file_kept(tracking_database: Path, tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    shutil.copy(tracking_database, database)
    _downgrade_one_step(database)
    with closing(sqlite3.connect(database)) as connection:
        (old,) = connection.execute(HEAD_REVISION).fetchone()
    assert connect(f"sqlite:///{database}").client.search_experiments()
    with closing(sqlite3.connect(database)) as connection:
        (new,) = connection.execute(HEAD_REVISION).fetchone()
    assert new != old
    (backup,) = tmp_path.glob("mlflow.db.before-*")
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute(HEAD_REVISION).fetchone() == (old,)


def test_a_server_that_does_not_listen_is_reported_quickly() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    started = time.monotonic()
    with pytest.raises(TrackingError) as error:
        connect(uri.replace("//", "//me:secret@"))
    assert time.monotonic() - started < 10
    assert error.value.code == "store-unusable"
    assert uri.replace("//", "//***@") in error.value.expected
    assert "secret" not in str(error.value)


def test_a_server_that_never_answers_is_reported_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganops.services.why_silent.__defaults__", ("", 0.5))
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        started = time.monotonic()
        with pytest.raises(TrackingError) as error:
            connect(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert time.monotonic() - started < 3
    assert (error.value.code, error.value.found) == ("store-unusable", "no answer within 0.5 seconds")


def test_a_file_that_is_not_a_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is not a database, though it is long enough to look at " * 10)
    with pytest.raises(TrackingError) as error:
        connect(f"sqlite:///{tmp_path}/mlflow.db")
    assert (error.value.code, error.value.exit_code) == ("store-damaged", 1), "trying again cannot help"
    assert "not a database" in error.value.found


def test_a_server_that_wants_a_password_is_not_said_to_be_down() -> None:
    class Locked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 401)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Locked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(TrackingError) as error:
            connect(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert error.value.code == "store-denied"
    assert "MLFLOW_TRACKING_TOKEN" in error.value.action


def test_no_database_is_made_outside_of_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrackingError) as error:
        connect()
    assert error.value.code == "no-checkout"
    assert list(tmp_path.iterdir()) == []


def test_a_deleted_experiment_is_a_clear_error(tracking_home: Path) -> None:
    store = connect()
    store.client.delete_experiment(store.experiment("ganops"))
    with pytest.raises(TrackingError) as error:
        store.experiment("ganops")
    assert error.value.code == "experiment-deleted"


def test_mlflow_is_kept_quiet_and_pickles_are_refused_unless_the_user_sets_otherwise(
    tracking_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    connect()
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"


def _downgrade_one_step(database: Path) -> None:
    """Set the recorded schema back to the one before the last, as after an update of MLflow."""
    from alembic import command
    from mlflow.store.db.utils import _get_alembic_config

    command.downgrade(_get_alembic_config(f"sqlite:///{database}"), "-1")
