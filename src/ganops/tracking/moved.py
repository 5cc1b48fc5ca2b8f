"""Artifact addresses in the SQLite database of a checkout that was moved or copied.

MLflow stores absolute addresses. Artifacts always lie in `mlruns` next to the database, so an address that ends in
`mlruns/<experiment>` below another folder is one of a checkout that has moved.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ganops.tracking.location import ARTIFACTS, sqlite_path
from ganops.tracking.outbox import warn

# Columns that hold addresses of artifacts. Model versions name logged models by id, which needs no correction.
COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def correct_artifact_paths(uri: str) -> None:
    """Point the addresses in a moved database to the `mlruns` folder next to it, where that folder exists."""
    database = sqlite_path(uri)
    if database is None or not database.is_file() or not (database.parent / ARTIFACTS).is_dir():
        return
    here = database.resolve().parent
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        for former in _former_roots(connection, database.parent, here):
            with connection:
                for table, column in COLUMNS:
                    _replace(connection, table, column, f"{former}/{ARTIFACTS}/", f"{here.as_uri()}/{ARTIFACTS}/")
            warn(f"the checkout was moved: artifacts are looked for in {here} instead of {unquote(former[7:])}")


def _former_roots(connection: sqlite3.Connection, *own: Path) -> list[str]:
    """Addresses of other folders that hold experiments as `<folder>/mlruns/<experiment>`."""
    try:
        rows = connection.execute("SELECT name, experiment_id, artifact_location FROM experiments").fetchall()
    except sqlite3.DatabaseError:  # a new database without tables, or a damaged one, which MLflow reports
        return []
    found = []
    for name, number, location in rows:
        ends = (f"/{ARTIFACTS}/{name}", f"/{ARTIFACTS}/{number}")  # a server names folders by number
        if location and urlsplit(location).scheme == "file" and unquote(location).endswith(ends):
            root = location[: location.rindex(f"/{ARTIFACTS}/")]
            if root not in [folder.as_uri() for folder in own]:
                found.append(root)
    return list(dict.fromkeys(found))


def _replace(connection: sqlite3.Connection, table: str, column: str, former: str, here: str) -> None:
    connection.execute(
        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",  # noqa: S608
        (here, len(former) + 1, len(former), former),
    )
