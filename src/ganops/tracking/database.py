"""A database that MLflow uses without a server: its driver, one connection within seconds, and its schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ganops.atomic import atomic_path
from ganops.errors import TrackingError
from ganops.services import SECONDS
from ganops.tracking.location import redact, sqlite_path

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory
    from sqlalchemy import Engine

TIME_LIMIT = {"connect_timeout": int(SECONDS)}
ARGUMENTS: dict[str, dict[str, int]] = {"postgresql": TIME_LIMIT, "mysql": TIME_LIMIT, "mssql": {}, "sqlite": {}}
DRIVERS = {"postgresql": "make env EXTRAS=postgres, or pip install 'ganops[postgres]'"}


def is_database(uri: str) -> bool:
    """Whether an address names a database and not a server."""
    return _engine_name(uri) in ARGUMENTS


def prepare_database(uri: str) -> None:
    """Check that a database can be used; make the tables of an empty one; bring a SQLite file to MLflow's schema.

    A SQLite file is made or upgraded as another file, which then takes its place: tables are made in many steps, and
    MLflow refuses a file for good that a killed process has left half-way. MLflow itself tries ten times within 100
    seconds before it reports a database that refuses. Raises TrackingError if the driver is missing or a newer
    MLflow wrote the schema, and SQLAlchemyError if the database does not answer.
    """
    file = sqlite_path(uri)
    if file is not None and not (file.exists() and file.stat().st_size):
        _create(file)
    else:
        _bring_up_to_date(uri, open_database(uri))


def open_database(uri: str) -> Engine:
    """An engine without a pool for the database at `uri`; raises TrackingError without its driver."""
    from sqlalchemy import NullPool, create_engine

    name = _engine_name(uri)
    try:
        return create_engine(uri, poolclass=NullPool, connect_args=ARGUMENTS[name])
    except ModuleNotFoundError as error:
        raise TrackingError(
            f"the Python driver for {name} is not installed",
            code="driver-missing",
            expected=f"a driver for {redact(uri)}",
            found=str(error),
            action=f"run: {DRIVERS[name]}" if name in DRIVERS else f"install the package that provides {error.name}",
        ) from error


def damage(file: Path) -> str:
    """What is broken in a SQLite file, every page of which is read; empty where nothing is, or no file is there."""
    if not file.exists() or not file.stat().st_size:
        return ""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=SECONDS)) as database:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        return ""  # locked or not readable: that is another matter
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else " ".join(str(found).split())


def schema_version(engine: Engine) -> str | None:
    """MLflow's alembic version of a database; None for an empty one."""
    from mlflow.store.db import utils

    found = utils._get_schema_version(engine)
    return None if found is None else str(found)


def _create(file: Path) -> None:
    from mlflow.store.db import utils

    with atomic_path(file) as temporary:
        utils._initialize_tables(open_database(f"sqlite:///{temporary}"))


@cache
def _migrations() -> ScriptDirectory:
    """MLflow's, whose head takes 0.1 s to find."""
    from alembic.script import ScriptDirectory
    from mlflow.store.db import utils

    return ScriptDirectory.from_config(utils._get_alembic_config(""))


def _bring_up_to_date(uri: str, engine: Engine) -> None:
    from mlflow.store.db import utils

    found, scripts = schema_version(engine), _migrations()
    wanted = scripts.get_current_head()
    if found is None:
        utils._initialize_tables(engine)
    if found in (None, wanted):
        return
    if found not in {script.revision for script in scripts.walk_revisions()}:
        raise TrackingError(
            "the tracking database belongs to a newer MLflow, or to another program",
            code="newer-schema",
            expected=f"schema {wanted} or an older one of MLflow at {redact(uri)}",
            found=f"schema {found}",
            action="update this environment (make env), or name another database in MLFLOW_TRACKING_URI",
        )
    database = sqlite_path(uri)
    if database is None:
        return  # MLflow refuses an older schema on a server of databases, and says how to upgrade it
    backup = database.with_name(f"{database.name}.before-{wanted}")
    with atomic_path(database) as newer:
        for path in (backup, newer):
            with closing(sqlite3.connect(database)) as old, closing(sqlite3.connect(path)) as copy:
                old.backup(copy)
        utils._upgrade_db(open_database(f"sqlite:///{newer}"))


def _engine_name(uri: str) -> str:
    return urlsplit(uri).scheme.partition("+")[0]
