"""What a training left on disk, logged to its run: all that the store has missed, and nothing twice."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

from PIL import Image

from ganops.tracking.tracked import TrackedRun

HISTORY, FACTS = "history.csv", "training.json"
TAGS = ("device", "precision", "selected")  # facts that are tags of the run

Rows = list[tuple[int, dict[str, float]]]


def replay(run: TrackedRun, trained: Path) -> None:
    """Log the curves, sample grids, health events, facts and files in the folder of a trained recipe."""
    run.log_curves(read_history(trained / HISTORY))
    for file in sorted((trained / "samples").glob("step-*.png")):
        step = re.fullmatch(r"step-(\d+)", file.stem)
        if step:
            with Image.open(file) as picture:
                run.log_samples(int(step[1]), picture)
    facts = read_facts(trained / FACTS)
    for event in facts.get("health_events", []):
        run.log_health(event)
    run.set_tags({name: str(facts[name]) for name in TAGS if name in facts})
    for file in (trained / FACTS, trained / HISTORY):
        if file.is_file():
            run.log_file(file)


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


def read_facts(path: Path) -> dict[str, Any]:
    """The content of training.json; nothing where the file is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
