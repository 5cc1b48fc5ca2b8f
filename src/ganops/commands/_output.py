"""The type of options that name a file to write: whether it can be written is known before any work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class OutputFile(click.ParamType[Path]):
    """A file that can be made or replaced, with one of the suffixes where there are any."""

    name = "file"

    def __init__(self, *suffixes: str) -> None:
        self.suffixes = suffixes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Refuse a folder, a device, a wrong suffix, and a file in a folder that is missing or read-only."""
        path = Path(value)
        try:
            reason = self._reason(path)
        except OSError as error:
            reason = error.strerror or str(error)
        if reason:
            self.fail(f"'{value}' cannot be written: {reason}", param, ctx)
        return path

    def _reason(self, path: Path) -> str:
        if path.is_dir():
            return "it is a folder; give the name of a file"
        if self.suffixes and path.suffix.lower() not in self.suffixes:
            return f"its name must end in {' or '.join(self.suffixes)}"
        if not path.parent.is_dir():
            return f"the folder {path.parent} does not exist"
        if path.exists() and not path.is_file():
            return "it is not a regular file"
        if not os.access(path.parent, os.W_OK | os.X_OK):
            return f"the folder {path.parent} is read-only for you"
        return ""
