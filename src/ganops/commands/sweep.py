"""End and remove what killed processes have left behind."""

from __future__ import annotations

import click


@click.command(short_help="end what killed processes have left behind")
@click.option("--machine", "machines", multiple=True, metavar="NAME", help="A machine that will not return.")
def command(machines: tuple[str, ...]) -> None:
    """End the MLflow runs that killed processes of this checkout left open, and delete models they did not register.

    A run whose training had ended is completed from the results. `make run` and `ganops doctor` do this as well.

    The runs of other machines stay open, because nothing is known of their processes. To end those of a machine that
    will not return, name it as the tag process.host of its runs does.
    """
    from ganops.registry.sweep import sweep
    from ganops.resolved import load_params

    for line in sweep(load_params(), machines) or ["nothing was left behind"]:
        click.echo(line)
