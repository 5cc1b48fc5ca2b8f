"""Write a model for other runtimes (pt2, onnx), or as a folder for the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

import click

from ganops.commands._champion import champion
from ganops.commands._output import OutputFile

NAMES = {"pt2": "model.pt2", "onnx": "model.onnx", "hub": "hub"}


@click.command(short_help="write a model as pt2, ONNX or a folder for the Hugging Face Hub")
@click.argument("model", required=False)
@click.option("--format", "form", type=click.Choice(list(NAMES)), default="hub", show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=None,
    help="File or, for hub, folder to write.  [default: model.pt2, model.onnx, hub]",
)
@click.option("--task", default=None, metavar="NAME", help="For models with several tasks.  [default: the first]")
@click.option("--push", metavar="USER/NAME", default=None, help="Upload the folder to the Hub, too; only with hub.")
def command(model: str | None, form: str, output: Path | None, task: str | None, push: str | None) -> None:
    """Export MODEL: an address in the registry, a model folder or a trained recipe; by default the champion.

    pt2 and onnx hold one task for any number of images: latents and inputs in, images as float32 in [-1, 1] out. Their
    outputs are compared with the model's before the file is put in place. hub writes a card with front matter, the
    description and the weights, and needs no network.
    """
    path = output or Path(NAMES[form])
    if push is not None and form != "hub":
        raise click.BadParameter("only a folder for the Hub can be pushed: --format hub", param_hint="--push")
    address = model or champion()
    if form == "hub":
        from ganops.exporting import hub

        if task is not None:
            raise click.BadParameter("the folder holds the whole model, with all its tasks", param_hint="--task")
        hub.export_hub(address, path)
        click.echo(f"{path}: {address} with its card, for the Hugging Face Hub")
        if push is not None:
            click.echo(hub.push(path, push))
        return
    OutputFile().convert(path, None, click.get_current_context())
    from ganops.api import load
    from ganops.exporting.graphs import export_onnx, export_pt2
    from ganops.exporting.module import TaskModule
    from ganops.games.sampling import find_task

    loaded = load(address)
    found = find_task(loaded.game, task)
    name = next(key for key, each in loaded.game.tasks.items() if each is found)
    module = TaskModule(loaded.game, name)
    difference = (export_pt2 if form == "pt2" else export_onnx)(module, path)
    click.echo(
        f"{path}: {', '.join(module.inputs)} -> {', '.join(module.outputs)}, any number of rows; outputs differ from "
        f"the model's by at most {difference:.1g}"
    )
