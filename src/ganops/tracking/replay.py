"""What a training left on disk, logged again: a run gets the rows and sample grids that its store has missed."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from PIL import Image

from ganops.tracking.tracked import TrackedRun

Rows = list[tuple[int, dict[str, float]]]


def replay(run: TrackedRun, trained: Path) -> None:
    """Log the curves and sample grids in the folder of a trained recipe; what the run has already is skipped."""
    run.log_curves(read_history(trained / "history.csv"))
    for file in sorted((trained / "samples").glob("step-*.png")):
        step = re.fullmatch(r"step-(\d+)", file.stem)
        if step:
            with Image.open(file) as picture:
                run.log_samples(int(step[1]), picture)


def read_history(path: Path) -> Rows:
    """The rows of history.csv as (step, curve name to value); none where the file is missing or damaged."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [
                (int(row["step"]), {name: float(value) for name, value in row.items() if value and name != "step"})
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return []
