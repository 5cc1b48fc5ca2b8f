"""All records of one MLflow database in another, row by row: from SQLite to PostgreSQL, back, or to a copy.

Both sides have the same schema, which MLflow makes and names by its alembic version. Ids of runs, numbers of versions,
aliases, tags and curves therefore stay what they are; only the addresses of artifacts change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ganops.errors import TrackingError
from ganops.tracking.database import open_database, schema_version
from ganops.tracking.location import redact
from ganops.tracking.moved import COLUMNS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

ROWS = 10_000  # written at once
MOVED = frozenset(COLUMNS)
# What MLflow itself puts into a new database, as (table, column, value).
BUILT_IN = (("experiments", "experiment_id", 0), ("workspaces", "name", "default"))

Move = Callable[[str], str]
Digests = Mapping[str, tuple[int, int]]  # by table


def digest_records(source: str, move: Move) -> Digests:
    """What the rows of `source` will be in another place. Raises TrackingError where a run of it is not ended."""
    engine = open_database(source)
    tables = _tables(engine)
    with engine.connect() as reading:
        _refuse_running(reading, tables)
        return {table.name: _digest(_rows(reading, table, move)) for table in tables}


def copy_records(source: str, target: str, move: Move, expected: Digests) -> dict[str, int]:
    """Copy every row of the database `source` into `target`, which has the same tables, empty; how many, by table.

    move: the new address of an artifact. expected: of `digest_records`, from before the artifacts were copied, so that
    no row names one that came later. All rows arrive or none: they are written in one transaction, read again and
    compared. Raises TrackingError where the schemas differ, the target holds records, or a row came out different.
    """
    old, new = open_database(source), open_database(target)
    found, wanted = schema_version(old), schema_version(new)
    if found != wanted:
        raise TrackingError(
            "the two databases have different schemas",
            code="schemas-differ",
            expected=f"schema {wanted} in {redact(source)}",
            found=f"schema {found}",
            action="bring the older one up to date: mlflow db upgrade ADDRESS",
        )
    tables = _tables(old)
    with old.connect() as reading, new.begin() as writing:
        _empty(writing, tables, target)
        counts = {table.name: _copy(reading, writing, table, move) for table in tables}
        for table in tables:
            if _digest(_rows(writing, table)) != expected.get(table.name):
                raise TrackingError(
                    f"the table '{table.name}' came out different; nothing was kept",
                    code="copy-differs",
                    found=redact(target),
                    action="copy again while nothing is at work; report it if it happens twice",
                )
        _continue_ids(writing, tables)
    return {name: count for name, count in counts.items() if count}


def _tables(engine: Engine) -> Sequence[Table]:
    """MLflow's tables, each after those that it refers to, with the types of MLflow's own models where it has them."""
    from mlflow.store.db.base_sql_model import Base
    from mlflow.store.model_registry.dbmodels import models as _registry  # noqa: F401 - fills Base
    from mlflow.store.tracking.dbmodels import models as _tracking  # noqa: F401 - fills Base
    from sqlalchemy import MetaData

    reflected = MetaData()
    reflected.reflect(engine)
    others = [table for table in reflected.sorted_tables if table.name not in Base.metadata.tables]
    return [*(table for table in others if table.name != "alembic_version"), *Base.metadata.sorted_tables]


def _refuse_running(connection: Connection, tables: Sequence[Table]) -> None:
    from sqlalchemy import select

    runs = next(table for table in tables if table.name == "runs")
    running = connection.scalars(select(runs.c.run_uuid).where(runs.c.status == "RUNNING")).all()
    if running:
        raise TrackingError(
            "runs are being written",
            code="runs-open",
            expected="no run at work, so that nothing is lost on the way",
            found=", ".join(map(str, running)),
            action="wait until they have ended; `ganops sweep` ends those of killed processes",
        )


def _empty(connection: Connection, tables: Sequence[Table], target: str) -> None:
    """Remove what MLflow puts into a new database itself; raises TrackingError where there is anything else."""
    from sqlalchemy import func, select

    by_name = {table.name: table for table in tables}
    for name, column, value in BUILT_IN:
        if name in by_name:
            connection.execute(by_name[name].delete().where(by_name[name].c[column] == value))
    for table in tables:
        count = connection.scalar(select(func.count()).select_from(table))
        if count:
            raise TrackingError(
                "the target holds records already",
                code="target-not-empty",
                expected=f"an empty database at {redact(target)}",
                found=f"{count} rows in the table '{table.name}'",
                action="name a new database: records are never merged or overwritten",
            )


def _copy(reading: Connection, writing: Connection, table: Table, move: Move) -> int:
    from sqlalchemy import insert

    count, block = 0, list[Mapping[str, Any]]()
    for row in _rows(reading, table, move):
        block.append(row)
        if len(block) == ROWS:
            writing.execute(insert(table), block)
            count += len(block)
            block.clear()
    if block:
        writing.execute(insert(table), block)
    return count + len(block)


def _rows(connection: Connection, table: Table, move: Move | None = None) -> Iterator[dict[str, Any]]:
    from sqlalchemy import select

    moved = [column.name for column in table.columns if (table.name, column.name) in MOVED] if move else []
    for row in connection.execute(select(table).execution_options(yield_per=ROWS)):
        values = row._asdict()
        for name in moved:
            if move and values[name]:
                values[name] = move(values[name])
        yield values


def _digest(rows: Iterator[dict[str, Any]]) -> tuple[int, int]:
    """How many rows, and a sum over them that does not depend on their order, which differs between databases."""
    count = total = 0
    for row in rows:
        count += 1
        total += int.from_bytes(hashlib.sha256(repr(sorted(row.items())).encode()).digest(), "big")
    return count, total % 2**256


def _continue_ids(connection: Connection, tables: Sequence[Table]) -> None:
    """Let PostgreSQL number on after the highest id that was copied; SQLite does so by itself."""
    from sqlalchemy import text

    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        for column in table.primary_key:
            where = {"table": table.name, "column": column.name}
            sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), where)
            if sequence:
                highest = f"SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}"  # noqa: S608 - MLflow's names
                connection.execute(text(f"SELECT setval(:sequence, ({highest}), false)"), {"sequence": sequence})
