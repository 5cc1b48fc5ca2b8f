"""contents.json: the pictures and tables that evaluation left of one recipe, in the order in which they are shown."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from ganops.errors import EvaluationError
from ganops.settings import Settings

CONTENTS = "contents.json"


class PictureEntry(Settings):
    """A picture file in the same folder, its title, and one or two sentences on what it shows."""

    file: str
    title: str
    caption: str = ""


class TableEntry(Settings):
    """A CSV file in the same folder and its title."""

    file: str
    title: str


class Contents(Settings):
    """The first picture is the one of samples, which stands for the recipe where there is room for one only."""

    pictures: tuple[PictureEntry, ...] = ()
    tables: tuple[TableEntry, ...] = ()


def read_contents(folder: Path) -> Contents:
    """The contents of a recipe's evaluation; empty where it has none, as an unhealthy recipe may.

    Raises EvaluationError when the file is damaged or names a file that does not exist.
    """
    path = folder / CONTENTS
    if not path.is_file():
        return Contents()
    action = f"run: dvc repro --force --single-item evaluate@{folder.name}"
    try:
        contents = Contents.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{path} is damaged", code="damaged-file", found=str(error), action=action) from error
    for file in [entry.file for entry in contents.pictures] + [entry.file for entry in contents.tables]:
        if not (folder / file).is_file():
            raise EvaluationError(
                f"{folder / file} is missing", code="missing-file", expected=f"as {path} says", action=action
            )
    return contents
