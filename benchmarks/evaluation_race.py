"""Scores of this project and of another library in turns: seconds of both, and whether they agree."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.rows import Row, alternate

BATCH, SEED, NEIGHBOURS = 64, 2020, 3
SETTINGS: dict[str, Any] = {
    "kid_subsets": 100,
    "kid_subset_size": 1000,
    "rng_seed": SEED,
    "prc_neighborhood": NEIGHBOURS,
}


def timed(what: Callable[[], float], values: dict[str, float], name: str) -> Callable[[], float]:
    """`what` as a contestant: seconds; what it computed is kept in `values`."""

    def measure() -> float:
        began = time.process_time()
        values[name] = what()
        return time.process_time() - began

    return measure


def race(
    name: str,
    ours: Mapping[str, Callable[[], float]],
    baseline: str,
    theirs: Callable[[], float],
    times: int,
    target: float,
) -> list[Row]:
    """Seconds of our ways and of theirs, in turns; all give the FID, which must agree."""
    values: dict[str, float] = {}
    sides = {f"ours: {name}, {way}": timed(what, values, way) for way, what in ours.items()}
    seconds = alternate(sides | {baseline: timed(theirs, values, baseline)}, times)
    rows = []
    for way in ours:
        agree = abs(values[way] - values[baseline]) <= 1e-3 * values[baseline]
        print(f"  FID {values[way]:.8g} and {values[baseline]:.8g}: {'equal' if agree else 'DIFFERENT'} to 1e-3")
        if not agree:
            raise SystemExit(f"{name}: the two do not compute the same")
        mine, other = seconds[f"ours: {name}, {way}"], seconds[baseline]
        rows.append(Row(f"{name}, {way}", mine, "s", baseline, other, other / mine, target))
    return rows
