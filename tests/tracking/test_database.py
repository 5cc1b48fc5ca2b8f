"""A database that cannot be used is reported in one sentence, within seconds."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from ganops.errors import TrackingError
from ganops.tracking.database import is_database, open_database, prepare_database, schema_version
from ganops.tracking.store import connect


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("sqlite:////x.db", True),
        ("postgresql+psycopg2://me@host/db", True),
        ("mssql+pyodbc://host/db", True),
        ("http://host:5000", False),
        ("databricks", False),
    ],
)
def test_databases_are_told_from_servers(uri: str, found: bool) -> None:
    assert is_database(uri) is found


@pytest.mark.parametrize(("scheme", "module"), [("postgresql", "psycopg2"), ("mysql", "MySQLdb")])
def test_a_missing_driver_is_named_with_what_to_install(scheme: str, module: str) -> None:
    if find_spec(module):
        pytest.skip(f"{module} is installed")
    with pytest.raises(TrackingError) as error:
        connect(f"{scheme}://me:secret@127.0.0.1/records")
    assert (error.value.code, module in error.value.found) == ("driver-missing", True)
    assert ("EXTRAS=postgres" in error.value.action) == (scheme == "postgresql")
    assert "secret" not in str(error.value)


def test_the_schema_of_a_newer_mlflow_is_left_alone(tracking_database: Path, tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    shutil.copy(tracking_database, database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    before = database.read_bytes()
    with pytest.raises(TrackingError) as error:
        connect(f"sqlite:///{database}")
    assert (error.value.code, error.value.found) == ("newer-schema", "schema ffffffffffff")
    assert database.read_bytes() == before


def test_a_database_that_was_not_finished_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of MLflow's tables would make it refuse the file for good."""
    from mlflow.store.db import utils

    def killed(_engine: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(utils, "_upgrade_db", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare_database(f"sqlite:///{tmp_path}/mlflow.db")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    prepare_database(f"sqlite:///{tmp_path}/mlflow.db")
    assert schema_version(open_database(f"sqlite:///{tmp_path}/mlflow.db")) is not None


def test_a_folder_in_which_no_database_can_be_made_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").mkdir()
    started = time.monotonic()
    with pytest.raises(TrackingError) as error:
        connect(f"sqlite:///{tmp_path}/mlflow.db")
    assert error.value.code == "store-unusable"
    assert time.monotonic() - started < 20, "MLflow alone tries for 100 s"
