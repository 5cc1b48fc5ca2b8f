"""Put two recipes, or two versions of the model, side by side on one page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganops.commands._output import OutputFile
from ganops.commands.recipes import columns

if TYPE_CHECKING:
    from ganops.evaluation.scores import Scores
    from ganops.reporting.side_by_side import Side

SAMPLES, COLUMNS = 64, 8


@click.command(short_help="two recipes or versions side by side")
@click.argument("left")
@click.argument("right")
@click.option("-o", "output", type=OutputFile(".html"), default="side-by-side.html", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of the samples of both.")
def command(left: str, right: str, output: Path, seed: int) -> None:
    """Compare LEFT and RIGHT: samples of the same seed, scores with a verdict, and the settings that differ.

    Each is the name of a recipe that was trained here, an address in the registry (models:/NAME@champion,
    models:/NAME/3), or a model folder. A score gets a verdict only where both were measured under one protocol.
    """
    from ganops.atomic import write_text
    from ganops.reporting.scores import MISSING
    from ganops.reporting.side_by_side import judged, render_side_by_side

    ours, theirs = pick(measured(left), measured(right))
    sides = _side(left, ours, seed), _side(right, theirs, seed)
    rows = [(line.heading, line.left, line.right, line.verdict or MISSING) for line in judged(*sides)]
    click.echo(columns([("", left, right, f"{right} is"), *rows], right={1, 2}))
    write_text(output, render_side_by_side(*sides))
    click.echo(f"{output}: {left} and {right}; the verdict is on {right}")


def measured(model: str) -> Sequence[Scores]:
    """All scores of a model, each under another protocol."""
    from ganops.evaluation.scores import read_scores
    from ganops.workspace import WORKSPACE

    address = re.fullmatch(r"models:/([^/@]+)(?:/(\d+)|@(.+))", model)
    if address is not None:
        from ganops.registry.versions import Versions
        from ganops.tracking.store import connect

        versions = Versions(connect(), address[1])
        version = address[2] or versions.at(address[3])
        return versions.record(version).measured if version else ()
    path = WORKSPACE.evaluated(model) / "scores.json"
    return (read_scores(path, f"dvc repro evaluate@{model}"),) if path.is_file() else ()


def pick(ours: Sequence[Scores], theirs: Sequence[Scores]) -> tuple[Scores, Scores]:
    """The pair of both sides with the most metrics that can be compared; of equal pairs the first."""
    from ganops.evaluation.scores import NO_SCORES

    pairs = [(left, right) for left in ours or (NO_SCORES,) for right in theirs or (NO_SCORES,)]
    return max(pairs, key=lambda pair: sum(pair[0].comparable(pair[1], key) for key in pair[0]))


def _side(name: str, scores: Scores, seed: int) -> Side:
    from ganops.api import load
    from ganops.reporting.parts import page_picture, read_pictures
    from ganops.reporting.side_by_side import Side
    from ganops.workspace import WORKSPACE

    model = load(name)
    grid = model.generate(SAMPLES, seed).grid(COLUMNS)
    drawn = [] if grid is None else [page_picture("Samples", f"Seed {seed}", grid)]
    evaluated = read_pictures(WORKSPACE.evaluated(name))[1:]  # the first shows samples of another seed
    return Side(name, scores, model.recipe.model_dump(mode="json"), [*drawn, *evaluated])
