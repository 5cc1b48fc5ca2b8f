"""Put two recipes, or two versions of the model, side by side on one page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganops.registry.gate import ProtocolScores
    from ganops.reporting.parts import Picture
    from ganops.reporting.side_by_side import Side

RESULTS = Path("results")
SAMPLES, COLUMNS = 64, 8


@click.command(short_help="two recipes or versions side by side")
@click.argument("left")
@click.argument("right")
@click.option("-o", "output", type=click.Path(path_type=Path), default=Path("side-by-side.html"), show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of the samples of both.")
def command(left: str, right: str, output: Path, seed: int) -> None:
    """Compare LEFT and RIGHT: samples of the same seed, scores with a verdict, and the settings that differ.

    Each is the name of a recipe that was trained here, an address in the registry (models:/ganops@champion,
    models:/ganops/3), or a model folder. Scores get a verdict only where both have some under one protocol.
    """
    from ganops.atomic import write_text
    from ganops.reporting.scores import MISSING
    from ganops.reporting.side_by_side import judged, render_side_by_side

    ours, theirs = _measured(left), _measured(right)
    shared = {scored.digest for scored in ours} & {scored.digest for scored in theirs}
    sides = [_side(name, seed, _pick(all_of_it, shared)) for name, all_of_it in ((left, ours), (right, theirs))]
    for line in judged(*sides):
        click.echo(f"{line.score.heading:<22}{line.left:>20}{line.right:>20}   {line.verdict or MISSING}")
    write_text(output, render_side_by_side(*sides))
    click.echo(f"{output}: {left} and {right}; the verdict is on {right}")


def _measured(model: str) -> Sequence[ProtocolScores]:
    """All that is known of a model's scores, each with its protocol."""
    from ganops.registry.gate import ProtocolScores
    from ganops.reporting.leaderboard import read_json

    address = re.fullmatch(r"models:/([^/@]+)(?:/(\d+)|@(.+))", model)
    if address is not None:
        from ganops.registry.versions import Versions
        from ganops.tracking.store import connect

        versions = Versions(connect(), address[1])
        version = address[2] or versions.at(address[3])
        return versions.record(version).measured if version else ()
    folder = RESULTS / "evaluate" / model
    if not (folder / "metrics.json").is_file():
        return ()
    action = f"dvc repro evaluate@{model}"
    return (ProtocolScores(read_json(folder / "metrics.json", action), read_json(folder / "protocol.json", action)),)


def _pick(measured: Sequence[ProtocolScores], shared: set[str]) -> ProtocolScores:
    from ganops.registry.gate import ProtocolScores

    return next(
        (scored for scored in measured if scored.digest in shared), next(iter(measured), ProtocolScores({}, {}))
    )


def _side(model: str, seed: int, measured: ProtocolScores) -> Side:
    from ganops.commands.sample import model_folder
    from ganops.games.saved import load_description
    from ganops.reporting.parts import read_pictures
    from ganops.reporting.side_by_side import Side

    folder = model_folder(model)
    drawn = [picture for picture in read_pictures(RESULTS / "evaluate" / model) if picture.title != "Samples"]
    return Side(
        name=model,
        scores={key: value for key, value in measured.scores.items() if value is not None},
        protocol=measured.protocol,
        settings=load_description(folder).recipe.model_dump(mode="json"),
        pictures=[_samples(folder, seed), *drawn],
    )


def _samples(folder: Path, seed: int) -> Picture:
    from io import BytesIO

    import torch

    from ganops.games.sampling import sample_images
    from ganops.games.saved import load_game
    from ganops.reporting.parts import Picture, data_address
    from ganops.reporting.samples import draw_samples

    images = torch.cat(list(sample_images(load_game(folder), SAMPLES, seed)))
    file = BytesIO()
    draw_samples(images, COLUMNS).save(file, "PNG")
    return Picture("Samples", f"Seed {seed}", data_address(file.getvalue(), ".png"), wide=False)
