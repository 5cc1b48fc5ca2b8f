"""Generate samples with a trained or registered model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganops.commands._champion import champion
from ganops.commands._given import given_inputs
from ganops.commands._output import OutputFile

if TYPE_CHECKING:
    from ganops.api import Generated
    from ganops.games.task import Task

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
LONGEST_SIDE = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}  # pixels that a format allows


@click.command(short_help="generate samples with a trained or registered model")
@click.argument("model", required=False)
@click.option("-n", "count", type=click.IntRange(1, 10_000), default=64, show_default=True, help="How many rows.")
@click.option(
    "-o", "output", type=OutputFile(*PICTURES, ".json"), help="File to write.  [default: grid.png or samples.json]"
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Same seed, same samples."
)
@click.option("--given", "pairs", multiple=True, metavar="NAME=VALUE", help="An input for all rows; repeatable.")
@click.option("--task", default=None, metavar="NAME", help="For models with several tasks.  [default: the first]")
@click.option("--columns", type=click.IntRange(1), default=None, help="Images in a row.  [default: a square grid]")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, mps, auto ...")
def command(
    model: str | None,
    count: int,
    output: Path | None,
    seed: int,
    pairs: tuple[str, ...],
    task: str | None,
    columns: int | None,
    device: str,
) -> None:
    """Generate samples with MODEL: one picture of all, or a JSON file where they cannot be seen or -o ends in .json.

    MODEL is an address in the registry (models:/NAME@champion, models:/NAME/3), a model folder, or the name of a recipe
    that was trained here; by default the champion.

    --given sets an input of the model: --given label=7, --given source=photo.png. Labels that are not given follow
    the shares of the training data; other inputs come from the test split of the prepared data.
    """
    from ganops.api import load
    from ganops.devices import find_device
    from ganops.games.sampling import find_task

    given = given_inputs(pairs)
    if output is None:
        OutputFile().convert("grid.png", None, click.get_current_context())  # before any work
    loaded = load(model or champion(), find_device(device))
    if output is None or output.suffix.lower() != ".json":
        _refuse_large(find_task(loaded.game, task), count, columns, output)
    generated = loaded.generate(count, seed, task=task, **given)
    path = _write(generated, output, columns)
    what = ", ".join(field.description for field in generated.schema.values())
    click.echo(f"{path}: {count} {what} from {loaded.name}, seed {seed}")


def _refuse_large(task: Task, count: int, columns: int | None, output: Path | None) -> None:
    """Raise ModelError where one picture of all rows would be larger than programs open or the format allows."""
    from ganops.data.fields.pictures import MOST_PIXELS, grid_size, readable_scale, square
    from ganops.errors import ModelError

    longest = LONGEST_SIDE.get(output.suffix.lower() if output else "", MOST_PIXELS)
    for shape in (field.shape for field in task.outputs.values() if len(field.shape) == 3):
        height, width = (side * readable_scale(*shape[1:]) for side in shape[1:])
        across, down = grid_size(count, columns or square(count), height, width)
        if across * down > MOST_PIXELS or max(across, down) > longest:
            raise ModelError(
                "the picture would be too large",
                code="picture-too-large",
                expected=f"at most {MOST_PIXELS / 1e6:,.0f} million pixels, and {longest:,} along a side",
                found=f"{across:,} x {down:,} pixels",
                action="lower -n, choose other --columns, or give -o a name that ends in .json",
            )


def _write(generated: Generated, output: Path | None, columns: int | None) -> Path:
    from ganops.atomic import atomic_path, write_text
    from ganops.data.fields.pictures import save_png
    from ganops.errors import ModelError

    grid = None if output is not None and output.suffix.lower() == ".json" else generated.grid(columns)
    if grid is None:
        path = output or Path("samples.json")
        if path.suffix.lower() in PICTURES:
            raise ModelError(
                "the outputs of this model cannot be drawn",
                code="no-picture",
                found=", ".join(field.description for field in generated.schema.values()),
                action="give -o a name that ends in .json",
            )
        write_text(path, json.dumps(generated.records(), indent=1, ensure_ascii=False) + "\n")
        return path
    path = output or Path("grid.png")
    if path.suffix.lower() in PICTURES[1:]:
        with atomic_path(path) as temporary:
            grid.save(temporary)
    else:
        save_png(grid, path)
    return path
