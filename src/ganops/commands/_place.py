"""Where a store is, as options of `ganops migrate`, `backup` and `restore`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ganops.tracking.migrate import Place

EPILOG = "The password of PostgreSQL comes from PGPASSWORD or ~/.pgpass, as for any of its clients."


def place_options(required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--database, --artifacts and --called; `required`: the first two must be given."""
    default = "" if required else "  [default: mlflow.db of this checkout]"

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.option(
                "--called",
                metavar="ADDRESS",
                help="How the records name the artifacts.  [default: mlflow-artifacts:, those that a server hands out]",
            ),
            click.option(
                "--artifacts",
                metavar="PLACE",
                required=required,
                help="Its artifacts: a folder or s3://BUCKET/PATH, as `mlflow server --artifacts-destination` has it.",
            ),
            click.option(
                "--database",
                metavar="ADDRESS",
                required=required,
                help=f"The database of an MLflow server, such as postgresql://USER@HOST/NAME.{default}",
            ),
        ):
            command = option(command)
        return command

    return add


def place(database: str | None, artifacts: str | None, called: str | None) -> Place:
    """The place that the options name; this checkout's own store where they name none."""
    from ganops.tracking.location import repository_root
    from ganops.tracking.migrate import SERVED, Place

    if (database is None) != (artifacts is None):
        raise click.UsageError("--database and --artifacts belong together: give both or none")
    if database is None or artifacts is None:
        return Place.local(repository_root())
    return Place(database, artifacts.rstrip("/"), (called or SERVED).rstrip("/"))
