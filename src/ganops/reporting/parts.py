"""What the report shows of one recipe: the pictures, tables and facts that its stages left."""

from __future__ import annotations

import csv
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from ganops.data.fields.pictures import to_png
from ganops.errors import EvaluationError
from ganops.evaluation.json_file import read_json
from ganops.recipe import find_recipe, load_recipe
from ganops.reporting.contents import PictureEntry, TableEntry, read_contents
from ganops.reporting.leaderboard import LeaderboardRow
from ganops.reporting.scores import number
from ganops.workspace import Workspace

MEDIA = {"PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
# In training.json, but shown elsewhere on the page.
SHOWN_ELSEWHERE = {"recipe", "parameters", "health_events", "unhealthy"}
WIDE_PIXELS = 800
MAX_TABLE_ROWS = 200


@dataclass(frozen=True)
class PagePicture:
    """A picture inside the page.

    source: a data: address that holds the whole file. wide: it takes the page's width for itself.
    """

    title: str
    caption: str
    source: str
    wide: bool


@dataclass(frozen=True)
class PageTable:
    """A table inside the page; `left_out` rows of it are not shown."""

    title: str
    heading: Sequence[str]
    lines: Sequence[Sequence[str]]
    left_out: int = 0


@dataclass(frozen=True)
class RecipePart:
    """Everything the report shows of one recipe."""

    row: LeaderboardRow
    summary: str
    paper: str
    pictures: Sequence[PagePicture]
    tables: Sequence[PageTable]
    facts: Mapping[str, str]
    settings: str
    run_id: str

    @property
    def samples(self) -> PagePicture | None:
        """The picture that stands for the recipe: the first one, of samples."""
        return next(iter(self.pictures), None)


def read_part(row: LeaderboardRow, workspace: Workspace) -> RecipePart:
    """Gather what evaluation, training and the recipe's own file say, and the id of its MLflow run.

    Raises EvaluationError or SettingsError when a file that must exist is missing or damaged.
    """
    path = find_recipe(row.name, workspace.recipes)
    recipe = load_recipe(path)
    command = f"dvc repro train@{row.name}"
    training = read_json(workspace.trained(row.name) / "training.json", command)
    run = read_json(workspace.run_file(row.name), command)
    return RecipePart(
        row=row,
        summary=recipe.summary,
        paper=recipe.paper,
        pictures=read_pictures(workspace.evaluated(row.name)),
        tables=read_tables(workspace.evaluated(row.name)),
        facts=facts({key: value for key, value in training.items() if key not in SHOWN_ELSEWHERE}),
        settings=path.read_text(encoding="utf-8"),
        run_id=str(run.get("run_id", "")),
    )


def read_pictures(folder: Path) -> list[PagePicture]:
    """All pictures of a recipe's evaluation, in the order of contents.json."""
    return [_picture(folder, entry) for entry in read_contents(folder).pictures]


def read_tables(folder: Path) -> list[PageTable]:
    """All tables of a recipe's evaluation, in the order of contents.json."""
    return [_table(folder, entry) for entry in read_contents(folder).tables]


def page_picture(title: str, caption: str, image: Image.Image) -> PagePicture:
    """A picture that was just drawn."""
    return PagePicture(title, caption, _address(to_png(image), MEDIA["PNG"]), image.width > WIDE_PIXELS)


def facts(values: Mapping[str, Any]) -> dict[str, str]:
    """A nested mapping as one flat list of names and texts; what is unset is left out."""
    return {name: _cell(value) for name, value in _flatten(values) if value not in (None, "", [], {})}


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
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(item) for item in value)
    return str(value)


def _picture(folder: Path, entry: PictureEntry) -> PagePicture:
    content = (folder / entry.file).read_bytes()
    try:
        with Image.open(BytesIO(content)) as image:
            width, media = image.width, MEDIA[image.format or ""]
    except (OSError, SyntaxError, KeyError) as error:
        raise EvaluationError(
            f"{folder / entry.file} is not a picture",
            code="damaged-file",
            expected=", ".join(MEDIA),
            found=str(error),
        ) from error
    return PagePicture(entry.title, entry.caption, _address(content, media), width > WIDE_PIXELS)


def _address(content: bytes, media: str) -> str:
    """A picture's whole file as an address that a page can show without loading anything."""
    return f"data:{media};base64,{b64encode(content).decode()}"


def _table(folder: Path, entry: TableEntry) -> PageTable:
    try:
        with (folder / entry.file).open(newline="", encoding="utf-8") as lines:
            heading, *rows = list(csv.reader(lines))
    except (OSError, ValueError, csv.Error) as error:
        raise EvaluationError(
            f"{folder / entry.file} is not a table",
            code="damaged-file",
            expected="CSV with column names",
            found=str(error),
        ) from error
    # The first column holds names, of classes such as 007.
    shown = [[*row[:1], *map(_number, row[1:])] for row in rows[:MAX_TABLE_ROWS]]
    return PageTable(entry.title, [name.replace("_", " ") for name in heading], shown, len(rows) - len(shown))


def _number(cell: str) -> str:
    """A number cut to what a person reads; any other text as it is."""
    try:
        return _cell(int(cell)) if cell.lstrip("-").isdecimal() else number(float(cell))
    except ValueError:
        return cell
