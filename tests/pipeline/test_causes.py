"""The cause is found among what a tool prints when it fails, and said with what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from pipeline.flows.causes import cause_of

HELP = "Having any troubles? Hit us up at https://dvc.org/support, we are always happy to help!"
FAILED = "ERROR: failed to reproduce 'prepare': failed to run: python -m pipeline.stages.prepare, exited with 1"


@pytest.mark.parametrize(
    ("lines", "found", "action"),
    [
        (["ERROR: unexpected error - 's3' was lost", "", HELP], "'s3' was lost", ""),
        (["Traceback (most recent call last):", "ValueError: a bug", FAILED], "ValueError: a bug", ""),
        (
            ["OSError: [Errno 28] No space left on device", FAILED],
            "OSError: [Errno 28] No space left on device",
            "free",
        ),
        (["PermissionError: [Errno 13] Permission denied: 'x'", "more", FAILED], "PermissionError", "write there"),
        (["fatal: detected dubious ownership in repository at '/x'", "To add"], "detected dubious", "safe.directory"),
        (["ERROR: configuration error - no", "ERROR: last"], "last", ""),
        ([HELP, ""], "", ""),
        ([], "", ""),
    ],
)
def test_the_line_that_says_why_is_found(lines: list[str], found: str, action: str) -> None:
    cause, todo = cause_of(lines)
    assert cause.startswith(found)
    assert bool(cause) == bool(found)
    assert action in todo
    assert bool(todo) == bool(action)


@pytest.mark.parametrize(("scheme", "action"), [("s3", "make env EXTRAS=s3"), ("ssh", "uv pip install dvc-ssh")])
def test_what_dvc_itself_says_of_a_missing_extra_is_understood(tmp_path: Path, scheme: str, action: str) -> None:
    Repo.init(tmp_path, no_scm=True).close()
    (tmp_path / ".dvc" / "config").write_text(
        f"[core]\n  no_scm = true\n  remote = r\n['remote \"r\"']\n  url = {scheme}://b/x\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "pull", "--run-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if f"dvc-{scheme}" not in done.stderr:
        pytest.skip(f"dvc-{scheme} is installed")
    found, todo = cause_of(done.stderr.splitlines())
    assert found.startswith(f"{scheme} is supported, but requires 'dvc-{scheme}'")
    assert todo.endswith(action)
