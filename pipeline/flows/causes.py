"""Why a tool failed: the line of its output that says so, and what to do where the cause is a known one."""

from __future__ import annotations

import re
from collections.abc import Sequence

ERROR = re.compile(r"^(ERROR|fatal|error): (unexpected error - )?")
# The last lines of a tool that fails: offers of help, and what failed instead of why.
NOISE = re.compile(r"^\s*$|^Having any troubles\?|failed to (reproduce|run)\b")
KILLED = re.compile(r"exited with -?\d+")
CAUSES = (
    (r"requires 'dvc-s3' to be installed", "make env EXTRAS=s3"),
    (r"requires '(dvc-\w+)' to be installed", r".venv/bin/uv pip install \1"),
    (r"not owned by current user|dubious ownership", 'git config --global --add safe.directory "$PWD"'),
    (r"No space left on device|[Dd]isk quota exceeded|disk is full", "free some space: `ganops doctor` shows where"),
    (r"Read-only file system|Permission denied", "let this user write there, or work in another copy of the checkout"),
)


def cause_of(lines: Sequence[str]) -> tuple[str, str]:
    """The line that says why a tool failed, without its `ERROR: `, and what to do; either may be empty."""
    for line in reversed(lines):
        for pattern, action in CAUSES:
            if found := re.search(pattern, line):
                return _plain(line), found.expand(action)
    said = [line for line in lines if not NOISE.search(line)]
    own = [line for line in said if not ERROR.match(line)]
    killed = KILLED.search("\n".join(lines))
    if killed and not any(line.startswith("Traceback") for line in own):
        return killed[0], ""
    errors = [line for line in said if ERROR.match(line)]
    return _plain(next(reversed(own if killed else errors or own), "")), ""


def _plain(line: str) -> str:
    return ERROR.sub("", line).strip()
