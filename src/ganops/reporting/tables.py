"""The leaderboard as CSV for programs, as Markdown for pages and as fixed-width text for a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from ganops.reporting.leaderboard import Row, ranked
from ganops.reporting.scores import ERROR_SUFFIX, HEADLINE_SCORES, ShownScore, describe, in_order


def leaderboard_csv(rows: Sequence[Row], score: str) -> str:
    """Every score in full precision, best recipe first; a missing value is an empty field."""
    keys = sorted({key for row in rows for key in row.scores}, key=_headline_first)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["recipe", *keys, "images_per_second", "minutes", "parameters", "steps", "health", "seeds"])
    for row in ranked(rows, describe(score)):
        scores = [row.scores.get(key, "") for key in keys]
        speed = [round(row.images_per_second, 1), round(row.minutes, 3)]
        facts = [sum(row.parameters.values()), row.steps, row.health, len(row.seeds) or 1]
        writer.writerow([row.recipe, *scores, *speed, *facts])
    return text.getvalue()


def leaderboard_markdown(rows: Sequence[Row], score: str, winner: str) -> str:
    """A Markdown table, the winner in bold."""
    heading, lines = table(rows, score)
    ruler = ["---", *["---:"] * (len(heading) - 1)]
    marked = [[f"**{cell}**" for cell in line] if line[0] == winner else line for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in [heading, ruler, *marked])


def leaderboard_text(rows: Sequence[Row], score: str, winner: str) -> str:
    """A table of fixed width; the winner is marked with an arrowhead."""
    heading, lines = table(rows, score)
    names = ["  recipe", *(f"{'>' if line[0] == winner else ' '} {line[0]}" for line in lines)]
    columns = zip(heading[1:], *(line[1:] for line in lines), strict=True)
    padded = [_pad(names, str.ljust), *(_pad(column, str.rjust) for column in columns)]
    text = ["  ".join(cells).rstrip() for cells in zip(*padded, strict=True)]
    text.insert(1, "-" * max(map(len, text)))
    return "\n".join(text) + "\n"


def table(rows: Sequence[Row], score: str) -> tuple[list[str], list[list[str]]]:
    """Heading and lines of the short leaderboard: FID, IS, KID and the score that decides; best first.

    Where several seeds count as one, their number has a column.
    """
    scores = headline_scores(rows, score)
    heading = ["recipe", *(column.heading for column in scores), "images/s", "minutes", "parameters", "steps", "health"]
    lines = [
        [
            row.recipe,
            *(column.show(row.scores) for column in scores),
            f"{row.images_per_second:,.0f}",
            f"{row.minutes:.1f}",
            count(sum(row.parameters.values())),
            f"{row.steps:,}",
            row.health,
        ]
        for row in ranked(rows, describe(score))
    ]
    if not any(row.seeds for row in rows):
        return heading, lines
    seeds = [str(len(row.seeds) or 1) for row in ranked(rows, describe(score))]
    return [*heading, "seeds"], [[*line, number] for line, number in zip(lines, seeds, strict=True)]


def headline_scores(rows: Sequence[Row], score: str) -> list[ShownScore]:
    """FID, IS and KID, as far as any recipe has them, and the score that decides."""
    known = {key for row in rows for key in row.scores}
    return in_order({key for key in HEADLINE_SCORES if key in known} | {score})


def count(number: int) -> str:
    """A number of parameters in thousands or millions: 812, 34.5 k, 1.23 M."""
    if number < 1000:
        return str(number)
    return f"{number / 1e3:.1f} k" if number < 1e6 else f"{number / 1e6:.2f} M"


def _headline_first(key: str) -> tuple[bool, str]:
    return (key.removesuffix(ERROR_SUFFIX) not in HEADLINE_SCORES, key)


def _pad(cells: Sequence[str], adjust: Callable[[str, int], str]) -> list[str]:
    width = max(map(len, cells))
    return [adjust(cell, width) for cell in cells]
