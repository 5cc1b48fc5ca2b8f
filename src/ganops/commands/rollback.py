"""Make the previous champion champion again."""

from __future__ import annotations

import click


@click.command(short_help="make the previous champion champion again")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept in the history.")
def command(reason: str) -> None:
    """Make the previous champion champion again.

    The version that was champion is quarantined: the gate refuses it until a person promotes it by its number.
    """
    from ganops.registry.promotion import rollback
    from ganops.resolved import load_params

    params = load_params()
    model = params.tracking.model
    champion, former = rollback(params, reason)
    click.echo(f"{model} version {champion} is champion again: models:/{model}@champion")
    if former is not None:
        click.echo(f"version {former} is quarantined")
