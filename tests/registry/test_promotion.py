"""Promotion and rollback: the right version is champion, always, and the history says so.

The smoke test starts a process of several seconds, so most tests here put a quick answer in its place; test_smoke.py
runs the real one.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import pytest
from small_model import small_params

from ganops.errors import RegistryError
from ganops.params import Params
from ganops.registry import moves, promotion
from ganops.registry.history import champion_periods, entries
from ganops.registry.pending import PENDING
from ganops.registry.promotion import promote, rollback
from ganops.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, Versions, measured_tag
from ganops.tracking.location import tracking_uri
from ganops.tracking.store import Store, connect

PARAMS = small_params()
Register = Callable[..., str]


@pytest.fixture(autouse=True)
def smoke(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the smoke test says, by version; empty means that the version works."""
    answers: dict[str, str] = {}

    def quick(_store: Store, uri: str) -> str:
        return answers.get(uri.rpartition("/")[2], "")

    monkeypatch.setattr(moves, "smoke_test", quick)
    return answers


@pytest.fixture
def register(register_version: Register) -> Register:
    """Registers more where version 1 (FID 10) is champion and version 2 (FID 9) the challenger."""
    assert register_version(fid=10.0) == "1"
    promote(PARAMS)
    assert register_version(fid=9.0) == "2"
    return register_version


def versions() -> Versions:
    return _versions(tracking_uri())


@functools.cache
def _versions(uri: str) -> Versions:
    """Reached once for each database: making the connection takes longer than what is asked of it."""
    return Versions(connect(uri), "ganops")


def aliases() -> tuple[str | None, str | None, str | None]:
    """(champion, previous-champion, challenger)."""
    return versions().at(CHAMPION), versions().at(PREVIOUS), versions().at(CHALLENGER)


def story() -> list[tuple[str, str | None]]:
    return [(reign.version, reign.ended) for reign in champion_periods(entries(versions()))]


def test_the_first_challenger_becomes_champion_and_a_better_one_follows(register: Register) -> None:
    assert aliases() == ("1", None, "2")
    result = promote(PARAMS)
    assert (result.moved, result.version, result.former, result.failure) == (True, "2", "1", "")
    assert aliases() == ("2", "1", "2")
    assert story() == [("1", "promoted"), ("2", None)]
    tags = versions().get("2").tags
    assert tags["gate.verdict"] == "accepted"
    assert "9 against 10" in tags["gate.reasons"]


def test_a_worse_challenger_is_refused_with_reasons_as_tags(register: Register) -> None:
    register(fid=11.0)
    result = promote(PARAMS)
    assert (result.moved, result.decision.verdict) == (False, "refused")
    assert aliases() == ("1", None, "3")
    assert "not better" in versions().get("3").tags["gate.reasons"]


def test_a_sick_challenger_is_never_promoted(register: Register) -> None:
    register(fid=1.0, sick=True)
    assert not promote(PARAMS).moved
    assert aliases()[0] == "1"


@pytest.mark.parametrize("how", ["option", "dry_run", "disabled"])
def test_dry_run_and_disabled_change_nothing(register: Register, how: str) -> None:
    before = (aliases(), versions().tags(), versions().get("2").tags)
    params = PARAMS if how == "option" else small_params(mode=how)
    result = promote(params, dry_run=how == "option")
    assert not result.moved
    assert result.decision.verdict == ("not judged" if how == "disabled" else "accepted")
    assert (aliases(), versions().tags(), versions().get("2").tags) == before


def test_promoting_twice_is_no_second_entry(register: Register) -> None:
    promote(PARAMS)
    result = promote(PARAMS)
    assert (result.moved, result.decision.verdict) == (False, "already champion")
    assert story() == [("1", "promoted"), ("2", None)]


def test_a_failed_smoke_test_restores_both_aliases_and_withdraws_the_version(
    register: Register, smoke: dict[str, str]
) -> None:
    promote(PARAMS)
    register(fid=8.0)
    smoke["3"] = "all images are one and the same"
    result = promote(PARAMS)
    assert (result.moved, result.failure) == (False, "all images are one and the same")
    assert aliases() == ("2", "1", "3")
    assert story() == [("1", "promoted"), ("2", "promoted"), ("3", "quarantined"), ("2", None)]
    smoke.clear()
    again = promote(PARAMS)
    assert not again.moved, "the next scheduled run must not try it again"
    assert "quarantined before" in again.decision.reasons[0]
    assert promote(PARAMS, "3").moved, "a person may name it"
    assert aliases() == ("3", "2", "3")
    assert versions().get("3").tags["quarantined"] == ""


def test_a_first_champion_that_fails_its_smoke_test_leaves_no_champion(
    register_version: Register, smoke: dict[str, str]
) -> None:
    register_version(fid=10.0)
    smoke["1"] = "broken"
    assert not promote(PARAMS).moved
    assert aliases() == (None, None, "1")
    assert story() == [("1", "quarantined")]


def test_rollback_goes_back_one_champion_at_a_time(register: Register) -> None:
    promote(PARAMS)
    register(fid=8.0)
    promote(PARAMS)
    assert aliases() == ("3", "2", "3")
    assert rollback(PARAMS, "odd sevens") == ("2", "3")
    assert aliases() == ("2", "1", "3")
    assert versions().get("3").tags["quarantined"] == "odd sevens"
    assert not promote(PARAMS).moved, "what was rolled back does not come back by itself"
    assert rollback(PARAMS) == ("1", "2")
    assert aliases() == ("1", None, "3")
    with pytest.raises(RegistryError, match="no previous champion"):
        rollback(PARAMS)
    assert story() == [("1", "promoted"), ("2", "promoted"), ("3", "rolled back"), ("2", "rolled back"), ("1", None)]


def test_without_a_challenger_or_a_model_there_is_a_clear_error(register_version: Register) -> None:
    with pytest.raises(RegistryError, match="no challenger"):
        promote(PARAMS)
    with pytest.raises(RegistryError, match="no previous champion"):
        rollback(PARAMS)
    register_version(fid=10.0)
    with pytest.raises(RegistryError, match="refuses what was asked"):
        promote(PARAMS, "77")


def test_scores_of_another_protocol_do_not_compare_until_the_champion_is_scored_again(register: Register) -> None:
    other = {"digest": "e" * 64, "extractor": "inception-v3"}
    versions().mark("2", {"protocol": "e" * 64, **measured_tag({"fid": 50.0}, other)})
    refused = promote(PARAMS)
    assert "do not compare: another protocol (extractor inception-v3, not classifier" in refused.decision.reasons[0]
    versions().mark("1", measured_tag({"fid": 60.0}, other))
    assert promote(PARAMS).moved


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


@pytest.mark.parametrize("failure", ["", "broken"])
def test_killed_at_any_moment_there_is_a_champion_and_the_next_promotion_completes_the_move(
    register: Register,
    smoke: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failure: str,
) -> None:
    smoke["2"] = failure
    survived = False
    changes = 0
    while not survived:
        store = versions().store
        dying = dataclasses.replace(store, client=DyingClient(store.client, changes))
        with monkeypatch.context() as patch:
            patch.setattr(promotion, "connect", lambda dying=dying: dying)
            try:
                promote(PARAMS)
                survived = True
            except Killed:
                pass
        assert aliases()[0] in ("1", "2"), f"no champion after {changes} changes"
        promote(PARAMS)
        assert aliases() == (("1", None, "2") if failure else ("2", "1", "2")), f"after {changes} changes"
        assert PENDING not in versions().tags()
        expected = (
            [("1", "promoted"), ("2", "quarantined"), ("1", None)] if failure else [("1", "promoted"), ("2", None)]
        )
        assert story() == expected, f"after {changes} changes"
        _undo()
        changes += 1
    assert changes > 6, "the move has several steps, and each was interrupted once"
    assert "was interrupted; it is completed now" in capsys.readouterr().err


def _undo() -> None:
    """Back to where version 1 is champion and version 2 was never tried."""
    registry = versions()
    registry.point(CHAMPION, "1")
    registry.point(PREVIOUS, None)
    registry.mark("2", {"quarantined": ""})
    for key in sorted(key for key in registry.tags() if key.startswith("history."))[1:]:
        registry.set_tag(key, None)


def test_an_interrupted_move_is_dropped_when_somebody_chose_another_champion_since(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(fid=8.0)

    def killed(_store: Store, _uri: str) -> str:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(moves, "smoke_test", killed)
        with pytest.raises(Killed):
            promote(PARAMS, "2")
    versions().point(CHAMPION, "3")
    promote(PARAMS)
    assert aliases()[0] == "3"
    assert PENDING not in versions().tags()


def params_of(model: str) -> Params:
    return PARAMS.model_copy(update={"tracking": PARAMS.tracking.model_copy(update={"model": model})})


def test_models_of_other_names_are_left_alone(register: Register) -> None:
    with pytest.raises(RegistryError, match="'other' has no challenger"):
        promote(params_of("other"))
    assert aliases() == ("1", None, "2")
