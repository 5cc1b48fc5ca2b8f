"""End and remove what killed processes have left behind."""

from __future__ import annotations

import click


@click.command(short_help="end what killed processes have left behind")
def command() -> None:
    """End the MLflow runs that killed processes of this checkout left open, and delete models they did not register.

    A run whose training had ended is completed from the results. `make run` and `ganops doctor` do this as well.
    """
    from ganops.params import load_params
    from ganops.registry.sweep import sweep

    for line in sweep(load_params()) or ["nothing was left behind"]:
        click.echo(line)
