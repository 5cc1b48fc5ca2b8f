"""Check the files of all registered versions."""

from __future__ import annotations

import sys

import click


@click.command(short_help="check the files of all registered versions")
def command() -> None:
    """Compare the files of every registered version with what was registered, and look for pickles among them.

    Exit code 1 when a version is not as it was registered. `dvc repro --force register` registers the winner again.
    """
    from ganops.registry.verify import verify
    from ganops.tracking.store import connect

    count = broken = 0
    for uri, problem in verify(connect()):
        count, broken = count + 1, broken + bool(problem)
        click.echo(f"{'BROKEN' if problem else 'ok    '}  {uri}" + (f": {problem}" if problem else ""))
    click.echo(
        f"{broken} of {count} versions are not as they were registered" if broken else f"{count} versions checked"
    )
    sys.exit(1 if broken else 0)
