"""Copy this checkout's records and models to a server."""

from __future__ import annotations

import click

from ganops.commands._place import EPILOG, place, place_options


@click.command(short_help="copy this checkout's records and models to a server", epilog=EPILOG)
@place_options(required=True)
def command(database: str, artifacts: str, called: str | None) -> None:
    """Copy mlflow.db and mlruns of this checkout into the empty database and the artifact store of an MLflow server.

    Runs keep their ids, versions their numbers, and aliases, history, curves and tags are what they were; every row and
    file is compared afterwards. The local store stays as it is. From then on set MLFLOW_TRACKING_URI to the server.
    """
    from ganops.tracking.location import repository_root
    from ganops.tracking.migrate import Place, copy_store

    contents = copy_store(Place.local(repository_root()), place(database, artifacts, called))
    click.echo(f"copied and compared: {contents.describe()}")
    click.echo("to do: export MLFLOW_TRACKING_URI=http://HOST:PORT, then `ganops verify`")
