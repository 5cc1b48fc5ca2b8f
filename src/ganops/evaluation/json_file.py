"""JSON files that stages leave: read, or refused with the command that makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ganops.errors import EvaluationError


def read_json(path: Path, command: str) -> dict[str, Any]:
    """A JSON object; raises EvaluationError naming the command that makes the file when it is missing or damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EvaluationError(f"{path} is missing", code="missing-file", action=f"run: {command}") from None
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"{path} cannot be read", code="damaged-file", found=str(error), action=f"run: {command}"
        ) from error
    if not isinstance(value, dict):
        raise EvaluationError(
            f"{path} is damaged",
            code="damaged-file",
            expected="a JSON object",
            found=type(value).__name__,
            action=f"run: {command}",
        )
    return value
