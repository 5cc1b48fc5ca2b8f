"""Output that no character can stop: what a terminal or log has no sign for is written as its number."""

from __future__ import annotations

import io
import os
import sys

HANDLER = "backslashreplace"
VARIABLE = "PYTHONIOENCODING"


def print_anything() -> None:
    """Let this process and its children print every character, whatever encoding the environment names."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)
    encoding = os.environ.get(VARIABLE, "").partition(":")[0]
    os.environ[VARIABLE] = f"{encoding}:{HANDLER}"
