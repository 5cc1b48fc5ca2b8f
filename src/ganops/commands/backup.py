"""Copy all records and models into a new folder."""

from __future__ import annotations

from pathlib import Path

import click

from ganops.commands._place import EPILOG, place, place_options


@click.command(short_help="copy all records and models into a new folder", epilog=EPILOG)
@click.argument("folder", type=click.Path(path_type=Path))
@place_options(required=False)
def command(folder: Path, database: str | None, artifacts: str | None, called: str | None) -> None:
    """Copy runs, models, aliases and history of this checkout, or of a server, into the new FOLDER.

    FOLDER appears when everything is in it and was compared. It holds mlflow.db and mlruns, which `mlflow ui` can show,
    and the digests of all files; `ganops restore` brings it back.
    """
    from ganops.tracking.migrate import write_backup

    contents = write_backup(place(database, artifacts, called), folder)
    click.echo(f"{folder}: {contents.describe()}")
