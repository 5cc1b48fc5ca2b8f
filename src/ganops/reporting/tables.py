"""The leaderboard as CSV for programs, as Markdown for pages and as fixed-width text for a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ganops.evaluation.metric import Metric
from ganops.reporting.leaderboard import LeaderboardRow, ranked, ranks
from ganops.reporting.scores import MISSING, heading, metrics_of, show

FACTS = ("images/s", "minutes", "parameters", "steps", "health")
ERROR_SUFFIX = "_error"  # in exports only: the column of a score's standard error


@dataclass(frozen=True)
class Line:
    """One line of the short leaderboard; rank: empty for what is not ranked."""

    row: LeaderboardRow
    rank: str
    cells: Sequence[str]


def flat_scores(row: LeaderboardRow) -> dict[str, float]:
    """Scores as plain numbers for exports: `<key>` and, where there is a standard error, `<key>_error`."""
    flat: dict[str, float] = {}
    for metric in metrics_of(row.scores):
        estimate = row.scores[metric.key]
        flat[metric.key] = estimate.value
        if estimate.error is not None:
            flat[metric.key + ERROR_SUFFIX] = estimate.error
    return flat


def leaderboard_csv(rows: Sequence[LeaderboardRow], metric: Metric) -> str:
    """Every score in full precision, in the order of the leaderboard; a missing value is an empty field."""
    scores = {row.name: flat_scores(row) for row in rows}
    metrics = metrics_of({key for row in rows for key in row.scores})
    names = [name for found in metrics for name in (found.key, found.key + ERROR_SUFFIX)]
    keys = [name for name in names if any(name in flat for flat in scores.values())]
    rank = ranks(rows, metric)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    facts = ["images_per_second", "minutes", "parameters", "steps", "health", "seeds"]
    writer.writerow(["recipe", "kind", "rank", *keys, *facts])
    for row in ranked(rows, metric):
        values = [scores[row.name].get(key, "") for key in keys]
        writer.writerow([row.name, row.kind, rank.get(row.name, ""), *values, *_csv_facts(row)])
    return text.getvalue()


def _csv_facts(row: LeaderboardRow) -> list[object]:
    done = row.training
    if done is None:
        return [""] * 6
    speed = [round(done.images_per_second, 1), round(done.minutes, 3)]
    return [*speed, done.parameter_count, done.steps, row.health, len(row.seeds) or 1]


def leaderboard_markdown(rows: Sequence[LeaderboardRow], metric: Metric, winner: str) -> str:
    """A Markdown table, the winner in bold, references and baselines in italics."""
    names, lines = table(rows, metric)
    ruler = ["---:", "---", *["---:"] * len(names)]
    marked = [_marked(line, winner) for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in [["", "recipe", *names], ruler, *marked])


def _marked(line: Line, winner: str) -> list[str]:
    mark = "**" if line.row.name == winner else "" if line.row.kind == "recipe" else "*"
    return [f"{mark}{cell}{mark}" if cell else "" for cell in (line.rank, line.row.name, *line.cells)]


def leaderboard_text(rows: Sequence[LeaderboardRow], metric: Metric, winner: str) -> str:
    """A table of fixed width; an arrowhead marks the winner, brackets what is not a recipe."""
    names, lines = table(rows, metric)
    shown = [line.row.name if line.row.kind == "recipe" else f"[{line.row.name}]" for line in lines]
    places = [f"{'>' if name == winner else ' '} {line.rank:>2}" for name, line in zip(shown, lines, strict=True)]
    first = ["     recipe", *(f"{place} {name}" for place, name in zip(places, shown, strict=True))]
    columns = zip(names, *(line.cells for line in lines), strict=True)
    padded = [_pad(first, str.ljust), *(_pad(column, str.rjust) for column in columns)]
    text: list[str] = ["  ".join(cells).rstrip() for cells in zip(*padded, strict=True)]
    text.insert(1, "-" * max(map(len, text)))
    return "\n".join(text) + "\n"


def table(rows: Sequence[LeaderboardRow], metric: Metric) -> tuple[list[str], list[Line]]:
    """The short leaderboard: column names after that of the recipe, and lines in order.

    Its columns are the headline metrics that any row has, the metric that decides, and facts of the training. Where
    several seeds are averaged, their number has a column.
    """
    metrics, rank = headline_metrics(rows, metric), ranks(rows, metric)
    seeds = ["seeds"] if any(row.seeds for row in rows) else []
    lines = [
        Line(
            row,
            str(rank.get(row.name, "")),
            [*(show(row.scores.get(column.key)) for column in metrics), *_facts(row, with_seeds=bool(seeds))],
        )
        for row in ranked(rows, metric)
    ]
    return [*map(heading, metrics), *FACTS, *seeds], lines


def _facts(row: LeaderboardRow, with_seeds: bool) -> list[str]:
    done = row.training
    if done is None:
        return [MISSING] * (len(FACTS) + with_seeds)
    cells = [f"{done.images_per_second:,.0f}", f"{done.minutes:.1f}", count(done.parameter_count), f"{done.steps:,}"]
    return [*cells, row.health, *([str(len(row.seeds) or 1)] if with_seeds else [])]


def headline_metrics(rows: Sequence[LeaderboardRow], metric: Metric) -> list[Metric]:
    """The metric that decides, then the headline metrics that any row has."""
    known = metrics_of(key for row in rows for key in row.scores if key != metric.key)
    return [metric, *(found for found in known if found.headline)]


def count(number: int) -> str:
    """A number of parameters in thousands or millions: 812, 34.5 k, 1.23 M."""
    if number < 1000:
        return str(number)
    return f"{number / 1e3:.1f} k" if number < 1e6 else f"{number / 1e6:.2f} M"


def _pad(cells: Sequence[str], adjust: Callable[[str, int], str]) -> list[str]:
    width = max(map(len, cells))
    return [adjust(cell, width) for cell in cells]
