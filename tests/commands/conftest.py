"""Commands run where there is a params.yaml and, where a test asks for it, a registry."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ganops.cli import ganops

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., Result]


@pytest.fixture
def run(tracking_home: Path) -> Run:
    """Runs `ganops` with the given arguments in a repository that has the shipped params.yaml, nothing of it auto."""
    text = (ROOT / "params.yaml").read_text()
    text = re.sub(r"(?m)^  model: \S+", "  model: ganops", text).replace("metric: auto", "metric: fid")
    (tracking_home / "params.yaml").write_text(text)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(ganops, arguments)

    return invoke
