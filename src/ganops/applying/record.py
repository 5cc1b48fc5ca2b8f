"""The record of an output folder: which settings its pictures were made with, and from which files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganops.atomic import write_text
from ganops.errors import DataError


class Record:
    """A file of lines of JSON: the settings, then a line for each picture, added when that is whole on the disk."""

    def __init__(self, path: Path, made: dict[str, str]) -> None:
        self._path, self._made = path, made

    @classmethod
    def open(cls, path: Path, settings: Mapping[str, Any], *, again: bool) -> Record:
        """Read the record, or begin one; again: begin one in any case.

        Raises DataError where it is of other settings.
        """
        before, made = (None, dict[str, str]()) if again else _read(path)
        if before is not None and before != dict(settings):
            differing = sorted(key for key in {*before, *settings} if before.get(key) != settings.get(key))
            raise DataError(
                f"{path.parent} holds pictures that were made otherwise",
                code="other-settings",
                expected=", ".join(f"{key}: {settings.get(key)}" for key in differing),
                found=", ".join(f"{key}: {before.get(key)}" for key in differing),
                action="give another -o, or --again to replace them",
            )
        lines = [{"settings": dict(settings)}, *({"output": name, "sha256": made[name]} for name in made)]
        write_text(path, "".join(json.dumps(line) + "\n" for line in lines))
        return cls(path, made)

    def has(self, output: str, digest: str) -> bool:
        """Whether a picture is there and was made from a file of this content."""
        return self._made.get(output) == digest and (self._path.parent / output).is_file()

    def add(self, output: str, digest: str) -> None:
        """Say that a picture is whole on the disk."""
        self._made[output] = digest
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"output": output, "sha256": digest}) + "\n")


def _read(path: Path) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """The settings and the pictures that can be read: the last line of a killed process may be torn.

    Returns None and no pictures if the file does not exist or does not begin with settings.
    """
    if not path.is_file():
        return None, {}
    lines = list[Any]()
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError):
            lines.append(json.loads(line))
    first, *others = lines or [None]
    before = first.get("settings") if isinstance(first, dict) else None
    if not isinstance(before, dict):
        return None, {}
    pictures = (each for each in others if isinstance(each, dict) and {"output", "sha256"} <= each.keys())
    return before, {str(each["output"]): str(each["sha256"]) for each in pictures}
