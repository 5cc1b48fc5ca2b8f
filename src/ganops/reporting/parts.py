"""What the report shows of one recipe: whatever pictures, tables and facts its stages left behind."""

from __future__ import annotations

import csv
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganops.errors import EvaluationError
from ganops.recipe import find_recipe, load_recipe
from ganops.reporting.leaderboard import Row, read_json
from ganops.reporting.scores import number

MEDIA = {".png": "image/png", ".webp": "image/webp", ".gif": "image/gif"}
# Shown in this order, before any other picture the evaluation left.
PICTURES = {
    "samples": ("Samples", "What the trained generator makes, none picked by hand."),
    "training": ("Training", "The same latents, from the first step to the last."),
    "neighbours": ("Nearest training images", "Pairs that look the same mean that the generator copies."),
    "interpolations": ("Interpolations", "Walks from one latent to another: each step should be small and plausible."),
    # What a game shows of itself; each has some of these.
    "classes": ("Classes", "A row for each class; a column has its latent in common."),
    "categories": (
        "Categories",
        "A row for each value of the categorical codes; a column has all else in common.",
    ),
    "codes": ("Codes", "Four rows for each continuous code, which grows from -2 on the left to 2 on the right."),
    "reconstructions": ("Reconstructions", "Real images, and below each what is made of the latent inferred from it."),
    "mixing": ("Mixed styles", "Coarse styles of the image on the left, fine ones of the image on top."),
    "curves": ("Curves", "What each player minimises, and what the discriminator answers."),
}
# In training.json, but shown elsewhere on the page or no fact of its own.
SHOWN_ELSEWHERE = {"recipe", "parameters", "health_events", "sick"}
# Drawn in curves.png already.
DRAWN = {"curves.csv"}
MAX_TABLE_ROWS = 200


@dataclass(frozen=True)
class Picture:
    """A picture inside the page; `source` is a data: address that holds the whole file."""

    title: str
    sentence: str
    source: str
    wide: bool


@dataclass(frozen=True)
class Table:
    """A table inside the page; `left_out` rows of it are not shown."""

    title: str
    heading: Sequence[str]
    lines: Sequence[Sequence[str]]
    left_out: int = 0


@dataclass(frozen=True)
class RecipePart:
    """All there is to show of one recipe."""

    row: Row
    summary: str
    paper: str
    pictures: Sequence[Picture]
    tables: Sequence[Table]
    facts: Mapping[str, str]
    settings: str
    run_id: str

    @property
    def samples(self) -> Picture | None:
        """The final grid, where there is one."""
        return next((picture for picture in self.pictures if picture.title == PICTURES["samples"][0]), None)


def read_part(row: Row, results: Path, recipes: Path) -> RecipePart:
    """Gather the pictures (*.png, *.webp, *.gif) and tables (*.csv) of results/evaluate/<recipe>, the facts of
    training.json, the recipe's own file and the id of its MLflow run.

    Raises EvaluationError or SettingsError when a file that must be there is missing or damaged.
    """
    evaluated = results / "evaluate" / row.recipe
    path = find_recipe(row.recipe, recipes)
    recipe = load_recipe(path)
    training = read_json(results / "train" / row.recipe / "training.json", f"dvc repro train@{row.recipe}")
    run = read_json(results / "runs" / f"{row.recipe}.json", f"dvc repro train@{row.recipe}")
    return RecipePart(
        row=row,
        summary=recipe.summary,
        paper=recipe.paper,
        pictures=read_pictures(evaluated),
        tables=[_table(file) for file in sorted(evaluated.glob("*.csv")) if file.name not in DRAWN],
        facts=facts({key: value for key, value in training.items() if key not in SHOWN_ELSEWHERE}),
        settings=path.read_text(encoding="utf-8"),
        run_id=str(run.get("run_id", "")),
    )


def facts(values: Mapping[str, Any]) -> dict[str, str]:
    """A nested mapping as one flat list of names and texts; what is unset is left out."""
    return {name: _cell(value) for name, value in _flatten(values) if value not in (None, "", [], {})}


def data_address(content: bytes, suffix: str) -> str:
    """A picture's whole file as an address that a page can show without loading anything."""
    return f"data:{MEDIA[suffix]};base64,{b64encode(content).decode()}"


def title(stem: str) -> str:
    """A file's stem as a heading: class_table -> Class table."""
    return stem.replace("_", " ").replace("-", " ").capitalize()


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = prefix + key.replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{name}: ")
        else:
            yield name, value


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return str(value)


def read_pictures(folder: Path) -> list[Picture]:
    """All pictures of a folder, the known ones first."""
    # Of an animation in two formats the WebP is shown: it comes last in the alphabet, and is smaller.
    files = {file.stem: file for file in sorted(folder.glob("*.*")) if file.suffix in MEDIA}
    order = [*(stem for stem in PICTURES if stem in files), *(stem for stem in files if stem not in PICTURES)]
    return [_picture(files[stem]) for stem in order]


def _picture(file: Path) -> Picture:
    heading, sentence = PICTURES.get(file.stem, (title(file.stem), ""))
    return Picture(heading, sentence, data_address(file.read_bytes(), file.suffix), wide=file.stem == "curves")


def _table(file: Path) -> Table:
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            heading, *rows = list(csv.reader(lines))
    except (OSError, ValueError, csv.Error) as error:
        raise EvaluationError(f"{file} is no table", expected="CSV with a heading", found=str(error)) from error
    shown = [[_number(cell) for cell in row] for row in rows[:MAX_TABLE_ROWS]]
    return Table(title(file.stem), [name.replace("_", " ") for name in heading], shown, len(rows) - len(shown))


def _number(cell: str) -> str:
    """A number cut to what a person reads; any other text as it is."""
    try:
        return _cell(int(cell)) if cell.lstrip("-").isdecimal() else number(float(cell))
    except ValueError:
        return cell
