"""A registry with a champion and a challenger.

The smoke test starts a process of several seconds, so tests of promotion replace it; test_smoke.py runs the real one.
"""

from __future__ import annotations

import pytest
from promoting import PARAMS, Register

from ganops.registry import promotion
from ganops.registry.promotion import promote


@pytest.fixture
def smoke(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the smoke test finds wrong, by version."""
    answers: dict[str, str] = {}

    def quick(uri: str) -> str:
        return answers.get(uri.rpartition("/")[2], "")

    monkeypatch.setattr(promotion, "smoke_test", quick)
    return answers


@pytest.fixture
def register(register_version: Register, smoke: dict[str, str]) -> Register:
    """Registers more where version 1 (FID 10) is champion and version 2 (FID 9) the challenger."""
    assert register_version(fid=10.0) == "1"
    promote(PARAMS)
    assert register_version(fid=9.0) == "2"
    return register_version
