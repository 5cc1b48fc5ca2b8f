"""The report: one HTML page that opens by itself, offline, in any browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from ganops.data.manifest import Manifest
from ganops.evaluation.metric import Metric
from ganops.reporting.leaderboard import LeaderboardRow, ranked
from ganops.reporting.parts import RecipePart, facts, read_part
from ganops.reporting.scores import heading, metrics_of, show, sort_key
from ganops.reporting.tables import headline_metrics, table
from ganops.reporting.template import template
from ganops.reporting.winner import Winner
from ganops.workspace import Workspace


@dataclass(frozen=True)
class ScoreLine:
    """One metric of all rows: its heading and sentence, the value of each row as text, and which are the best."""

    heading: str
    sentence: str
    values: Sequence[str]
    best: Sequence[bool]


def render_report(rows: Sequence[LeaderboardRow], winner: Winner, workspace: Workspace, manifest: Manifest) -> str:
    """The page as HTML: pictures inside it, no scripts, nothing to load.

    Every score, and every picture and table that contents.json of a recipe names, is shown.
    Raises EvaluationError when a file that must exist is missing or damaged.
    """
    ordered = ranked(rows, winner.metric)
    parts = [read_part(row, workspace) for row in ordered if row.kind == "recipe"]
    columns, lines = table(rows, winner.metric)

    def deciding(row: LeaderboardRow) -> str:
        return show(row.scores.get(winner.metric.key))

    return template("report.html").render(
        winner=winner,
        parts=parts,
        columns=columns,
        lines=lines,
        headlines=[(heading(metric), metric.sentence) for metric in headline_metrics(rows, winner.metric)],
        rows=ordered,
        score_lines=score_lines(ordered),
        deciding=deciding,
        protocol=protocol_facts(ordered),
        manifest=manifest,
        fields={name: field.description for name, field in manifest.spec.schema().items()},
        class_counts=class_counts(manifest),
        lineage=lineage(parts, winner, manifest),
    )


def score_lines(rows: Sequence[LeaderboardRow]) -> list[ScoreLine]:
    """Every metric that any row has, with the best healthy recipes marked where it has a better side."""
    return [_score_line(metric, rows) for metric in metrics_of({key for row in rows for key in row.scores})]


def protocol_facts(rows: Sequence[LeaderboardRow]) -> dict[str, str]:
    """How the scores of the recipes were measured; where recipes differ, the value of each with its name."""
    scored = [row for row in rows if row.kind == "recipe" and row.scores]
    found = {row.name: facts(_flat_protocol(row)) for row in scored}
    names = dict.fromkeys(name for protocol in found.values() for name in protocol)
    return {name: _said_by({recipe: own[name] for recipe, own in found.items() if name in own}) for name in names}


def class_counts(manifest: Manifest) -> list[tuple[str, Mapping[str, int], float]]:
    """For each class its name, its rows in each split, and its share of the largest class, in [0, 1]."""
    counts = {
        name: {str(split): classes.get(name, 0) for split, classes in manifest.class_counts.items()}
        for name in manifest.spec.classes
    }
    largest = max((sum(splits.values()) for splits in counts.values()), default=0) or 1
    return [(name, splits, sum(splits.values()) / largest) for name, splits in counts.items()]


def lineage(parts: Sequence[RecipePart], winner: Winner, manifest: Manifest) -> dict[str, str]:
    """What these results were made of, by digest, and the MLflow run of each recipe."""
    digests = {
        "data": manifest.digest,
        f"protocol of {winner.metric.title}": winner.row.scores.digest(winner.metric.key),
    }
    return digests | {f"MLflow run of {part.row.name}": part.run_id for part in parts}


def _score_line(metric: Metric, rows: Sequence[LeaderboardRow]) -> ScoreLine:
    able = {row.name: row.scores for row in rows if row.kind == "recipe" and not row.unhealthy}
    keys = {sort_key(metric, scores) for scores in able.values()}
    best = min(keys) if len(keys) > 1 else inf  # where all are equal, none is the best
    marked = [row.name in able and sort_key(metric, row.scores) == best < inf for row in rows]
    return ScoreLine(heading(metric), metric.sentence, [show(row.scores.get(metric.key)) for row in rows], marked)


def _flat_protocol(row: LeaderboardRow) -> dict[str, Any]:
    protocol = row.scores.protocol
    return {**protocol.shared, **protocol.groups}


def _said_by(values: Mapping[str, str]) -> str:
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    return "; ".join(f"{value} ({recipe})" for recipe, value in values.items())
