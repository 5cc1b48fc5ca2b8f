"""Rows of a benchmark: measured, printed as a table, written as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ganops.atomic import write_json


@dataclass(frozen=True)
class Row:
    """One comparison; a ratio above 1 means that ours is better. target: the ratio to reach, None for no target."""

    name: str
    value: float
    unit: str
    baseline: str
    baseline_value: float
    ratio: float
    target: float | None


def alternate(sides: Mapping[str, Callable[[], float]], times: int) -> dict[str, float]:
    """Measure all sides in turns, so that noise hits all alike; the median of each."""
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(times):
        for name, measure in sides.items():
            measured[name].append(measure())
            print(f"  {number + 1}/{times}  {name:<44} {measured[name][-1]:,.4g}", flush=True)
    return {name: statistics.median(values) for name, values in measured.items()}


def report(rows: list[Row], file: Path | None) -> None:
    """Print the rows as a Markdown table and write them to `file` where one is given."""
    print("\n| what | ours | baseline | its value | ratio | to reach |\n| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        target = f"{row.target:.1f}" if row.target is not None else ""
        ours, theirs = f"{row.value:,.4g} {row.unit}", f"{row.baseline_value:,.4g} {row.unit}"
        print(f"| {row.name} | {ours} | {row.baseline} | {theirs} | {row.ratio:.2f} | {target} |")
    if file is not None:
        write_json(file, [asdict(row) for row in rows])
