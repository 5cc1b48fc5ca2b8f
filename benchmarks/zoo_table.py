"""The results of the zoo as a table in Markdown, and as rows with a baseline."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from benchmarks.rows import Row

BASELINE = "dcgan"


def line(results: list[dict[str, Any]]) -> str:
    """One recipe's line of the table: means over its seeds, with the lowest and highest FID where there are several."""

    def mean(score: str, form: str, factor: float = 1) -> str:
        values = [each["scores"].get(score) for each in results]
        return "" if None in values else format(factor * fmean(values), form)

    first, fids = results[0], [each["scores"]["fid"] for each in results]
    spread = f" ({min(fids):.2f} to {max(fids):.2f})" if len(fids) > 1 else ""
    kimg, selected = fmean(each["kimg"] for each in results), " ".join(each["selected"] for each in results)
    minutes = fmean(each["seconds"] for each in results) / 60
    unhealthy = sorted({problem for each in results for problem in each["unhealthy"]})
    cells = [
        *(f"`{first['recipe']}`", f"{first['parameters'] / 1e6:.2f} M", f"{kimg:.1f}"),
        *(f"{kimg / first['budget_kimg']:.0%}", f"{minutes:.1f}", ", ".join(unhealthy) or "healthy", selected),
        *(mean("fid", ".2f") + spread, mean("kid", ".2f", 1000)),
        *(mean("precision", ".3f"), mean("recall", ".3f"), mean("coverage", ".3f"), mean("label_accuracy", ".1%")),
    ]
    return f"| {' | '.join(cells)} |"


def table(contest: list[list[dict[str, Any]]]) -> str:
    """The leaderboard as Markdown, the lowest FID first."""
    heading = ["recipe", "parameters", "kimg", "of its own budget", "minutes", "health at the end", "selected at"]
    heading += ["FID (classifier)", "KID (classifier) x 1000", "precision", "recall", "coverage", "right class"]
    lines = [f"| {' | '.join(heading)} |", "| --- " * len(heading) + "|", *(line(results) for results in contest)]
    return "\n".join(lines)


def rows_of(title: str, contest: list[list[dict[str, Any]]]) -> list[Row]:
    """A row for each recipe's FID with the baseline's; none where the baseline is not among them."""
    fids = {results[0]["recipe"]: fmean(each["scores"]["fid"] for each in results) for results in contest}
    if BASELINE not in fids:
        return []
    base = fids[BASELINE]
    return [Row(f"{title}, {name}", fid, "FID", BASELINE, base, base / fid, None) for name, fid in fids.items()]
