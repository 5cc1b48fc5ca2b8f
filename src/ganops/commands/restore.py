"""Bring back what `ganops backup` has written."""

from __future__ import annotations

from pathlib import Path

import click

from ganops.commands._place import EPILOG, place, place_options


@click.command(short_help="bring back what `ganops backup` has written", epilog=EPILOG)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@place_options(required=False)
def command(folder: Path, database: str | None, artifacts: str | None, called: str | None) -> None:
    """Copy the backup in FOLDER into this checkout or a server, whose store must be empty: nothing is ever merged.

    The files of the backup are compared with their digests first, and everything again afterwards.
    """
    from ganops.tracking.migrate import restore_backup

    contents = restore_backup(folder, place(database, artifacts, called))
    click.echo(f"restored and compared: {contents.describe()}")
