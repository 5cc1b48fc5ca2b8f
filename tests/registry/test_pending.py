"""A change of champion whose process is killed at any point is completed by the next command, once."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from promoting import PARAMS, Aliases, Periods, aliases, periods, quarantined, versions

from ganops.errors import RegistryError
from ganops.registry import promotion
from ganops.registry.pending import PENDING
from ganops.registry.promotion import promote, rollback
from ganops.registry.versions import CHAMPION


class Killed(BaseException):
    """Stands for SIGKILL: nothing in between catches it."""


class DyingClient:
    """An MLflow client whose process is killed just before its n-th change of the registry."""

    def __init__(self, client: Any, changes: int) -> None:
        self._client, self._left = client, changes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if not name.startswith(("set_", "delete_", "update_")):
            return method

        def count_down(*arguments: Any, **named: Any) -> Any:
            if self._left == 0:
                raise Killed
            self._left -= 1
            return method(*arguments, **named)

        return count_down


def killed_at(change: int, command: Callable[[], object], patch: pytest.MonkeyPatch) -> bool:
    """Run a command whose process dies before its n-th change; whether it died."""
    store = versions().store
    dying = dataclasses.replace(store, client=DyingClient(store.client, change))
    with patch.context() as patched:
        patched.setattr(promotion, "connect", lambda: dying)
        try:
            command()
        except Killed:
            return True
    return False


def rolled_back(steps: int) -> tuple[Aliases, Periods, list[str]]:
    """Aliases, history and quarantine after 1, 2, 3 were promoted and then rolled back `steps` times."""
    story: Periods = [("1", "promoted"), ("2", "promoted"), ("3", "rolled back"), ("2", "rolled back"), ("1", None)]
    story = [*story[: 2 + steps], (story[2 + steps][0], None)]
    return (
        (("3", "2", "3"), ("2", "1", "3"), ("1", None, "3"))[steps],
        story,
        (["3"], ["2", "3"])[steps - 1] if steps else [],
    )


def state() -> tuple[Aliases, Periods, list[str]]:
    return aliases(), periods(), quarantined()


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that needs `three` leaves a copy of the database."""
    return tmp_path_factory.mktemp("three") / "mlflow.db"


@pytest.fixture
def three(request: pytest.FixtureRequest, tracking_home: Path, snapshot: Path, smoke: dict[str, str]) -> None:
    """Versions 1 and 2 were champions, 3 is the challenger."""
    if snapshot.exists():
        shutil.copy(snapshot, tracking_home / "mlflow.db")
        return
    register = request.getfixturevalue("register")
    promote(PARAMS)
    register(fid=8.0)
    shutil.copy(tracking_home / "mlflow.db", snapshot)


CHANGES_OF_PROMOTE = 8  # gate.verdict, gate.reasons, note, two aliases, history, quarantine, note removed
CHANGES_OF_ROLLBACK = 6


@pytest.mark.parametrize("change", range(CHANGES_OF_PROMOTE + 1))
@pytest.mark.parametrize("following", ["promote", "rollback"])
def test_a_promotion_killed_at_any_point_is_completed_by_the_next_command(
    three: None, monkeypatch: pytest.MonkeyPatch, change: int, following: str
) -> None:
    died = killed_at(change, lambda: promote(PARAMS), monkeypatch)
    assert died == (change < CHANGES_OF_PROMOTE)
    assert aliases()[0] in ("2", "3"), "there is a champion at every moment"
    begun = change > 2  # the note is written
    if following == "promote":
        promote(PARAMS)
        assert state() == rolled_back(0)
    elif begun:
        assert rollback(PARAMS) == ("2", "3"), "back to the champion before the interrupted promotion, not further"
        assert state() == rolled_back(1)
    else:
        assert rollback(PARAMS) == ("1", "2"), "nothing had begun"
    assert PENDING not in versions().tags()


@pytest.mark.parametrize("change", range(CHANGES_OF_ROLLBACK + 1))
@pytest.mark.parametrize("following", ["rollback", "promote"])
def test_a_rollback_killed_at_any_point_is_completed_by_the_next_command(
    three: None, monkeypatch: pytest.MonkeyPatch, change: int, following: str
) -> None:
    promote(PARAMS)
    died = killed_at(change, lambda: rollback(PARAMS), monkeypatch)
    assert died == (change < CHANGES_OF_ROLLBACK)
    assert aliases()[0] in ("2", "3")
    if following == "rollback" and died:
        assert rollback(PARAMS) == ("2", "3"), "repeating it goes back once, not twice"
        assert state() == rolled_back(1)
    elif following == "promote":
        promote(PARAMS)
        assert state() == rolled_back(1 if change else 0), "the quarantined challenger is not promoted again"
    assert PENDING not in versions().tags()


def test_the_completion_itself_may_be_killed(three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(PARAMS)
    assert killed_at(2, lambda: rollback(PARAMS), monkeypatch)
    change = 0
    while killed_at(change, lambda: rollback(PARAMS), monkeypatch):
        change += 1
    assert change == CHANGES_OF_ROLLBACK - 1
    assert state() == rolled_back(1)


@pytest.mark.parametrize("since", ["other-champion", "deleted-version"])
def test_an_interrupted_promotion_is_dropped_when_the_registry_has_changed_since(
    three: None, monkeypatch: pytest.MonkeyPatch, since: str
) -> None:
    assert killed_at(4, lambda: promote(PARAMS), monkeypatch)
    if since == "other-champion":
        versions().set_alias(CHAMPION, "1")
    else:
        versions().delete("3")
    with pytest.raises(RegistryError):
        promote(PARAMS, "77")
    assert aliases()[0] == ("1" if since == "other-champion" else "2")
    assert PENDING not in versions().tags()
