"""The report: one HTML page that opens by itself, offline, in any browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from ganops.data.manifest import Manifest
from ganops.reporting.leaderboard import Row, common_protocol, ranked
from ganops.reporting.parts import RecipePart, facts, read_part
from ganops.reporting.scores import ShownScore, describe, in_order
from ganops.reporting.tables import headline_scores, table
from ganops.reporting.winner import Winner


@dataclass(frozen=True)
class ScoreLine:
    """One score of all recipes: the value of each as text, and which of them are the best."""

    score: ShownScore
    values: Sequence[str]
    best: Sequence[bool]


def render_report(rows: Sequence[Row], winner: Winner, results: Path, manifest: Manifest, recipes: Path) -> str:
    """The page as HTML: pictures inside it, no scripts, nothing to load.

    results: the folder with train/, evaluate/ and runs/. recipes: the folder of the recipe files.
    A section appears when its files are there; every score, picture and table that evaluation left is shown.
    Raises EvaluationError when the protocols differ or a file that must be there is missing.
    """
    protocol = common_protocol(rows)
    parts = [read_part(row, results, recipes) for row in ranked(rows, describe(winner.score))]
    heading, lines = table(rows, winner.score)
    return template("report.html").render(
        winner=winner,
        score=describe(winner.score),
        parts=parts,
        winning=next(part for part in parts if part.row.recipe == winner.recipe),
        heading=heading,
        lines=lines,
        headline_scores=headline_scores(rows, winner.score),
        score_lines=score_lines(parts),
        protocol=facts(protocol),
        manifest=manifest,
        class_counts=class_counts(manifest),
        lineage=lineage(parts, protocol.get("digest", ""), manifest),
    )


def score_lines(parts: Sequence[RecipePart]) -> list[ScoreLine]:
    """Every score that any recipe has, with the best healthy recipes marked where the score has a better side."""
    keys = {key for part in parts for key in part.row.scores}
    return [_score_line(score, [part.row for part in parts]) for score in in_order(keys)]


def class_counts(manifest: Manifest) -> list[tuple[str, Mapping[str, int], float]]:
    """For each class its name, its images in each split, and its share of the largest class, in [0, 1]."""
    counts = {
        name: {str(split): classes.get(name, 0) for split, classes in manifest.class_counts.items()}
        for name in manifest.spec.classes
    }
    largest = max((sum(splits.values()) for splits in counts.values()), default=0) or 1
    return [(name, splits, sum(splits.values()) / largest) for name, splits in counts.items()]


def lineage(parts: Sequence[RecipePart], protocol_digest: str, manifest: Manifest) -> dict[str, str]:
    """What these results were made of, by digest, and the MLflow run of each recipe."""
    digests = {"data": manifest.digest, "protocol": protocol_digest}
    return digests | {f"MLflow run of {part.row.recipe}": part.run_id for part in parts}


def _score_line(score: ShownScore, rows: Sequence[Row]) -> ScoreLine:
    distances = [score.distance_from_best(row.scores) for row in rows]
    healthy = [distance for distance, row in zip(distances, rows, strict=True) if not row.sick]
    best = min(healthy, default=float("inf"))
    marked = [distance == best < float("inf") and not row.sick for distance, row in zip(distances, rows, strict=True)]
    return ScoreLine(score, [score.show(row.scores) for row in rows], marked)


def template(name: str) -> jinja2.Template:
    """One of the pages in templates/; whatever is put into it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ganops.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
