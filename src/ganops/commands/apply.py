"""Translate or enlarge a picture, or all pictures of a folder, with a model of image-to-image translation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganops.commands._given import given_inputs

if TYPE_CHECKING:
    from ganops.applying.folder import Applied
    from ganops.applying.picture_file import FileFormat

FORMATS = ("same", "png", "jpeg", "webp", "tiff")


@click.command(short_help="translate or enlarge the pictures of a folder")
@click.argument("model")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write.")
@click.option("--task", default=None, metavar="NAME", help="Direction of a model with several.  [default: the first]")
@click.option("--given", "pairs", multiple=True, metavar="NAME=VALUE", help="An input besides the picture; repeatable.")
@click.option("--tile", type=click.IntRange(1, 8192), default=None, help="Pixels.  [default: as the model was trained]")
@click.option("--overlap", type=click.IntRange(0), default=None, help="Of tiles, in pixels.  [default: half a tile]")
@click.option("--format", "form", type=click.Choice(FORMATS), default="same", show_default=True, help="Of the files.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of latents, if any.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps, auto ...")
@click.option("--again", is_flag=True, help="Make all pictures once more, whatever the folder holds.")
def command(
    model: str,
    source: Path,
    output: Path,
    task: str | None,
    pairs: tuple[str, ...],
    tile: int | None,
    overlap: int | None,
    form: FileFormat,
    seed: int,
    device: str,
    again: bool,
) -> None:
    """Translate the picture or all pictures of the folder SOURCE with MODEL; of any size, in overlapping tiles.

    MODEL is named as in `ganops sample`: models:/NAME@champion, a model folder, or a recipe that was trained here.

    Names, folders, EXIF and colour profiles stay; kinds of files that are not written become PNG. Pictures that were
    made before from the same files are kept, so an interrupted call resumes; files of these names that are not its own
    are replaced only with --again. Unreadable files are listed.
    """
    from ganops.api import load
    from ganops.applying.folder import apply_to_folder
    from ganops.devices import find_device
    from ganops.games.saved import digest_of

    given = given_inputs(pairs)
    loaded = load(model, find_device(device))
    translator = loaded.translator(task=task, tile=tile, overlap=overlap, seed=seed, **given)
    tiling = translator.tiling
    settings = {
        "model": digest_of(loaded.folder),
        "task": task or next(iter(loaded.game.tasks)),
        "given": given,
        "seed": seed,
        "tile": tiling.tile,
        "overlap": tiling.overlap,
    }
    click.echo(_summary(apply_to_folder(translator, source, output, settings, form, again=again), output))


def _summary(applied: Applied, output: Path) -> str:
    from ganops.data.rejection import printable

    for rejection in applied.rejections:
        click.echo(f"left out: {printable(rejection.name)}: {rejection.words}", err=True)
    kept = f", {applied.kept:,} kept" if applied.kept else ""
    left_out = f", {len(applied.rejections):,} files left out" if applied.rejections else ""
    return f"{output}: {len(applied.written):,} pictures written{kept}{left_out}"
