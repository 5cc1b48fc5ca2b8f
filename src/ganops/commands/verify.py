"""Check all registered versions: files, lineage, signatures, answers."""

from __future__ import annotations

import sys

import click


@click.command(short_help="check all registered versions: files, lineage, signatures, answers")
@click.option(
    "--sample", is_flag=True, help="Also load each in a fresh process and ask it for its example; seconds each."
)
def command(sample: bool) -> None:
    """Compare every registered version with what was registered: all its files, and the tags of its lineage.

    Pickles among the files are found, and models whose files the next `mlflow gc` would remove. Where GANOPS_VERIFY_KEY
    or GANOPS_SIGNING_KEY names a key, the champion, the one before and every version with a signature must be signed
    with it.

    Exit code 1 when a version is not as it was registered. `dvc repro --force --single-item register` registers the
    winner again.
    """
    from ganops.registry.verify import verify
    from ganops.tracking.location import redact
    from ganops.tracking.store import connect

    store, count, broken = connect(), 0, 0
    for uri, problem in verify(store, sample=sample):
        count, broken = count + 1, broken + bool(problem)
        click.echo(f"{'BROKEN' if problem else 'ok    '}  {uri}" + (f": {problem}" if problem else ""))
    if count == 0:
        click.echo(f"no version is registered at {redact(store.uri)}: `make run` trains and registers one")
    elif broken:
        click.echo(f"{broken} of {count} versions are not as they were registered")
    else:
        click.echo(f"{count} version{'' if count == 1 else 's'} checked")
    sys.exit(1 if broken else 0)
