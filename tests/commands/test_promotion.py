"""promote, rollback and history tell what happened, and end with codes that scripts can use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from click.testing import Result

from ganops.errors import RegistryError
from ganops.registry import moves

Run = Callable[..., Result]
Register = Callable[..., str]


@pytest.fixture
def failure(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the smoke test says, under "failure"; the real one is tried in tests/registry/test_smoke.py."""
    answer = {"failure": ""}
    monkeypatch.setattr(moves, "smoke_test", lambda *_: answer["failure"])
    return answer


def test_the_story_of_three_challengers(register_version: Register, run: Run, failure: dict[str, str]) -> None:
    register_version(fid=50.0)
    first = run("promote")
    assert first.exit_code == 0
    assert "version 1 is champion now, the first one: models:/ganops@champion" in first.output
    assert "already champion" in run("promote").output

    register_version(fid=60.0)
    refused = run("promote")
    assert refused.exit_code == 3
    assert "ganops version 2: refused\n  - FID 60 against 50 of the champion (version 1): not better" in (
        refused.output
    )

    register_version(fid=40.0)
    looked = run("promote", "--dry-run")
    assert looked.exit_code == 0
    assert "accepted" in looked.output
    assert "nothing moves" in looked.output
    assert "version 3 is champion now, after version 1" in run("promote").output

    register_version(fid=30.0)
    failure["failure"] = "all images are one and the same"
    failed = run("promote")
    assert failed.exit_code == 4
    assert failed.output.endswith(
        "its smoke test failed: all images are one and the same\nversion 3 is champion again\n"
    )

    back = run("rollback", "--reason", "odd sevens")
    assert back.exit_code == 0
    assert back.output == "ganops version 1 is champion again: models:/ganops@champion\nversion 3 is quarantined\n"

    lines = [re.split(r" {2,}", line) for line in run("history").output.splitlines()]
    assert [(line[0], line[3]) for line in lines[1:]] == [
        ("1", "now"),
        ("3", lines[2][3]),
        ("4", lines[3][3]),
        ("3", lines[4][3]),
        ("1", lines[5][3]),
    ]
    assert lines[1][-1] == "odd sevens"
    assert [line[4] for line in lines[2:]] == ["rolled back", "smoke test failed", "by the next one", "by the next one"]
    exported = json.loads(run("history", "--json").output)
    assert [reign["version"] for reign in exported] == ["1", "3", "4", "3", "1"]
    assert exported[-1]["until"] is None


def test_a_registry_without_models_says_what_to_do(run: Run) -> None:
    assert "has had no champion yet" in run("history").output
    for command in ("promote", "rollback"):
        error = run(command).exception
        assert isinstance(error, RegistryError)
        assert error.action
