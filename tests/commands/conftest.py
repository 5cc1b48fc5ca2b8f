"""Commands run where there is a params.yaml and, where a test asks for it, a registry."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ganops.cli import ganops

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., Result]


@pytest.fixture
def run(tracking_home: Path) -> Run:
    """Runs `ganops` with the given arguments in a repository that has the shipped params.yaml."""
    shutil.copy(ROOT / "params.yaml", tracking_home)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(ganops, arguments)

    return invoke
