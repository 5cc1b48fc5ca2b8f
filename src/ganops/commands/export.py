"""Write a model as a folder for the Hugging Face Hub, and upload it where that is asked for."""

from __future__ import annotations

from pathlib import Path

import click

from ganops.commands._champion import champion


@click.command(short_help="write a model as a folder for the Hugging Face Hub")
@click.argument("model", required=False)
@click.option("--format", "form", type=click.Choice(["hub"]), default="hub", show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("hub"),
    show_default=True,
    help="Folder to write; it must be new or empty.",
)
@click.option("--push", metavar="USER/NAME", default=None, help="Upload the folder to the Hub, too.")
def command(model: str | None, form: str, output: Path, push: str | None) -> None:
    """Export MODEL: an address in the registry, a model folder or a trained recipe; by default the champion.

    hub: a card with front matter, the description and the weights. It is made without a network, and ganops.load takes
    it like any model folder.
    """
    from ganops.exporting import hub

    del form  # the only one so far
    address = model or champion()
    hub.export_hub(address, output)
    click.echo(f"{output}: {address} with its card, for the Hugging Face Hub")
    if push is not None:
        click.echo(hub.push(output, push))
