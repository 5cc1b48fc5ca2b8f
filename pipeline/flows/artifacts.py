"""What a stage leaves for a person, as Markdown for Prefect's pages: its facts, its scores and its sample grid."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from ganops.workspace import WORKSPACE
from pipeline.flows.graph import Stage

# An artifact lies in Prefect's database: a grid above this size is named instead of shown.
LARGEST_PICTURE = 300_000


def stage_markdown(stage: Stage) -> str | None:
    """The results of a stage that has just run; None for a stage that leaves nothing to read."""
    if stage.name == "prepare":
        return _facts(WORKSPACE.prepared / "manifest.json", ("source", "digest", "counts", "rejected_count"))
    if stage.name == "compare":
        return (WORKSPACE.comparison / "leaderboard.md").read_text(encoding="utf-8")
    if stage.name == "register":
        return _facts(WORKSPACE.registration)
    kind, recipe = stage.name.partition("@")[0], stage.recipe
    if kind == "train" and recipe:
        folder = WORKSPACE.trained(recipe)
        last = max((folder / "samples").glob("*.png"), default=None)  # none where samples cannot be drawn
        return _facts(folder / "training.json") + (f"\n{_picture(last)}" if last else "")
    if kind == "evaluate" and recipe:
        return _scores(WORKSPACE.evaluated(recipe))
    return None


def artifact_key(stage: Stage) -> str:
    """The key under which Prefect keeps a stage's artifact: lower-case letters, digits and dashes."""
    return stage.name.replace("@", "-").replace("_", "-").lower()


def _scores(folder: Path) -> str:
    """Every score with its standard error, and the first picture."""
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))["scores"]
    errors = {key: "" if found["error"] is None else f" ± {found['error']:.2g}" for key, found in scores.items()}
    rows = [f"| {key} | {found['value']:.5g}{errors[key]} |" for key, found in scores.items()]
    pictures = json.loads((folder / "contents.json").read_text(encoding="utf-8"))["pictures"]
    shown = [_picture(folder / each["file"]) for each in pictures[:1]]
    return "\n".join(["| | |", "|---|---|", *rows, "", *shown])


def _facts(path: Path, keys: tuple[str, ...] | None = None) -> str:
    """The keys of a JSON file as a table of two columns."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    rows = [f"| {key} | {_shown(facts[key])} |" for key in keys or facts]
    return "\n".join(["| | |", "|---|---|", *rows, ""])


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "; ".join(map(_shown, value)) or "none"
    if isinstance(value, float):
        return f"{value:.5g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _picture(path: Path) -> str:
    content = path.read_bytes()
    if len(content) > LARGEST_PICTURE:
        return f"samples: `{path}`\n"
    return f"![samples](data:image/png;base64,{base64.b64encode(content).decode()})\n"
