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
        found = [] if again else _lines(path)
        if found and found[0] != {"settings": dict(settings)}:
            before = found[0].get("settings", {})
            differing = {key for key in {*before, *settings} if before.get(key) != settings.get(key)}
            raise DataError(
                f"{path.parent} holds pictures that were made otherwise",
                code="other-settings",
                expected=", ".join(f"{key}: {settings.get(key)}" for key in sorted(differing)),
                found=", ".join(f"{key}: {before.get(key)}" for key in sorted(differing)),
                action="give another -o, or --again to replace them",
            )
        made = {line["output"]: line["sha256"] for line in found[1:]}
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


def _lines(path: Path) -> list[dict[str, Any]]:
    """The lines that can be read: the last one of a killed process may be torn."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return [line for line in found if isinstance(line, dict)]
