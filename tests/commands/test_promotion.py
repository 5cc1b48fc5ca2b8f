"""promote, rollback and history print what happened, and end with codes that scripts can use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from click.testing import Result

from ganops.errors import RegistryError
from ganops.registry import promotion

Run = Callable[..., Result]
Register = Callable[..., str]


@pytest.fixture
def failure(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the smoke test says, under "failure"; the real one is tried in tests/registry/test_smoke.py."""
    answer = {"failure": ""}
    monkeypatch.setattr(promotion, "smoke_test", lambda *_: answer["failure"])
    return answer


def test_the_story_of_four_challengers(register_version: Register, run: Run, failure: dict[str, str]) -> None:
    register_version(fid=50.0)
    first = run("promote")
    assert first.exit_code == 0, first.output
    assert "models:/ganops@champion" in first.output
    assert "already champion" in run("promote").output

    register_version(fid=60.0)
    refused = run("promote")
    assert refused.exit_code == 3
    assert refused.output.startswith("ganops version 2: refused\n  - ")

    register_version(fid=40.0)
    looked = run("promote", "--dry-run")
    assert looked.exit_code == 0
    assert "accepted" in looked.output
    assert "version 3 is champion now" not in looked.output
    assert "version 3 is champion now, after version 1" in run("promote").output

    register_version(fid=30.0)
    failure["failure"] = "all images are equal"
    failed = run("promote")
    assert failed.exit_code == 4
    assert "all images are equal" in failed.output
    assert failed.output.endswith("version 3 stays champion\n")

    failure["failure"] = ""
    back = run("rollback", "--reason", "odd sevens")
    assert back.exit_code == 0
    assert back.output == "ganops version 1 is champion again: models:/ganops@champion\nversion 3 is quarantined\n"

    lines = [re.split(r" {2,}", line) for line in run("history").output.splitlines()]
    assert [line[0] for line in lines[1:]] == ["1", "3", "1"]
    assert (lines[1][3], lines[1][-1]) == ("now", "odd sevens")
    assert [line[4] for line in lines[2:]] == ["rolled back", "replaced"]
    exported = json.loads(run("history", "--json").output)
    assert [period["version"] for period in exported] == ["1", "3", "1"]
    assert exported[-1]["until"] is None


def test_a_registry_without_models_says_what_to_do(run: Run) -> None:
    assert run("history").exit_code == 0
    for command in ("promote", "rollback"):
        error = run(command).exception
        assert isinstance(error, RegistryError)
        assert error.action
