"""Promotion and rollback: the right version is champion, always, and the history agrees.

The smoke test starts a process of several seconds, so most tests here replace it; test_smoke.py runs the real one.
"""

from __future__ import annotations

import dataclasses
import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.exceptions import MlflowException
from small_model import small_params, small_scores

from ganops.errors import RegistryError, TrackingError
from ganops.registry import load, promotion
from ganops.registry.history import history
from ganops.registry.load import registered_folder
from ganops.registry.pending import PENDING
from ganops.registry.promotion import promote, rollback
from ganops.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, QUARANTINED, Versions, measured_tag
from ganops.tracking.location import tracking_uri
from ganops.tracking.store import connect

PARAMS = small_params()
Register = Callable[..., str]
Aliases = tuple[str | None, str | None, str | None]
Periods = list[tuple[str, str | None]]


@pytest.fixture(autouse=True)
def smoke(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the smoke test finds wrong, by version."""
    answers: dict[str, str] = {}

    def quick(uri: str) -> str:
        return answers.get(uri.rpartition("/")[2], "")

    monkeypatch.setattr(promotion, "smoke_test", quick)
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
    """Connected once for each database: a connection takes longer than the requests."""
    return Versions(connect(uri), "ganops")


def aliases() -> Aliases:
    """(champion, previous-champion, challenger)."""
    return versions().at(CHAMPION), versions().at(PREVIOUS), versions().at(CHALLENGER)


def periods() -> Periods:
    return [(period.version, period.ended) for period in history(versions())]


def quarantined() -> list[str]:
    known = versions().store.client.search_model_versions("name = 'ganops'")
    return sorted(str(version.version) for version in known if version.tags.get(QUARANTINED))


def test_the_first_challenger_becomes_champion_and_a_better_one_follows(register: Register) -> None:
    assert aliases() == ("1", None, "2")
    result = promote(PARAMS)
    assert (result.moved, result.version, result.former, result.failure) == (True, "2", "1", "")
    assert aliases() == ("2", "1", "2")
    assert periods() == [("1", "promoted"), ("2", None)]
    tags = versions().get("2").tags
    assert tags["gate.verdict"] == "accepted"
    assert "9 against 10" in tags["gate.reasons"]


def test_a_worse_challenger_is_refused_with_reasons_as_tags(register: Register) -> None:
    register(fid=11.0)
    result = promote(PARAMS)
    assert (result.moved, result.decision.verdict, result.decision.codes[0]) == (False, "refused", "worse")
    assert aliases() == ("1", None, "3")
    assert versions().get("3").tags["gate.verdict"] == "refused"


def test_an_unhealthy_challenger_is_never_promoted(register: Register) -> None:
    register(fid=1.0, unhealthy=True)
    assert not promote(PARAMS).moved
    assert aliases()[0] == "1"


@pytest.mark.parametrize("how", ["option", "dry_run", "disabled"])
def test_dry_run_and_disabled_change_nothing(register: Register, smoke: dict[str, str], how: str) -> None:
    before = (aliases(), versions().tags(), versions().get("2").tags)
    params = PARAMS if how == "option" else small_params(mode=how)
    result = promote(params, dry_run=how == "option")
    assert not result.moved
    assert result.decision.verdict == ("not judged" if how == "disabled" else "accepted")
    smoke["2"] = "broken"
    assert not promote(params, dry_run=how == "option").moved
    assert (aliases(), versions().tags(), versions().get("2").tags) == before


def test_promoting_twice_adds_no_second_entry(register: Register) -> None:
    promote(PARAMS)
    result = promote(PARAMS)
    assert (result.moved, result.decision.verdict) == (False, "already champion")
    assert periods() == [("1", "promoted"), ("2", None)]


def test_no_alias_moves_before_the_smoke_test_has_passed(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, Aliases]] = []

    def look(uri: str) -> str:
        seen.append((uri, aliases()))
        return ""

    monkeypatch.setattr(promotion, "smoke_test", look)
    promote(PARAMS)
    rollback(PARAMS)
    assert seen == [("models:/ganops/2", ("1", None, "2")), ("models:/ganops/1", ("2", "1", "2"))]


def test_a_failed_smoke_test_moves_nothing_and_quarantines_the_version(
    register: Register, smoke: dict[str, str]
) -> None:
    promote(PARAMS)
    register(fid=8.0)
    smoke["3"] = "all rows are the same"
    result = promote(PARAMS)
    assert (result.moved, result.failure, result.decision.verdict) == (False, "all rows are the same", "refused")
    assert result.decision.codes[0] == "unusable"
    assert aliases() == ("2", "1", "3")
    assert periods() == [("1", "promoted"), ("2", None)]
    smoke.clear()
    again = promote(PARAMS)
    assert not again.moved, "the next scheduled run must not try it again"
    assert again.decision.codes[0] == "quarantined"
    assert promote(PARAMS, "3").moved, "a person may name it"
    assert aliases() == ("3", "2", "3")
    assert quarantined() == []


def test_a_first_challenger_that_fails_its_smoke_test_leaves_no_champion(
    register_version: Register, smoke: dict[str, str]
) -> None:
    register_version(fid=10.0)
    smoke["1"] = "broken"
    assert not promote(PARAMS).moved
    assert aliases() == (None, None, "1")
    assert periods() == []


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
    with pytest.raises(RegistryError) as error:
        rollback(PARAMS)
    assert error.value.code == "no-previous-champion"
    assert periods() == [("1", "promoted"), ("2", "promoted"), ("3", "rolled back"), ("2", "rolled back"), ("1", None)]


def test_rollback_to_a_version_that_does_not_work_changes_nothing(register: Register, smoke: dict[str, str]) -> None:
    promote(PARAMS)
    before = (aliases(), periods(), quarantined())
    smoke["1"] = "its files are missing"
    with pytest.raises(RegistryError) as error:
        rollback(PARAMS)
    assert (error.value.code, error.value.found) == ("target-broken", "its files are missing")
    assert (aliases(), periods(), quarantined()) == before


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_a_champion_whose_files_are_gone_or_altered_gives_way(register: Register, tmp_path: Path, damage: str) -> None:
    """Registering again makes a new version; the gate lets it replace the broken champion."""
    weights = registered_folder("models:/ganops/1") / "generator.safetensors"
    content = weights.read_bytes()
    versions().mark("1", {"content": "0" * 64} if damage == "altered" else {})
    try:
        if damage == "missing":
            weights.unlink()
        refused = promote(PARAMS, "1")
        assert (refused.decision.verdict, refused.decision.codes[0]) == ("refused", "unusable"), "not already champion"
    finally:
        weights.write_bytes(content)
    if damage == "altered":
        register(fid=12.0)
        result = promote(PARAMS)
        assert (result.moved, "champion-unusable" in result.decision.codes) == (True, True)
        assert aliases() == ("3", None, "3"), "a broken version is not a target for rollback"


def test_what_does_not_exist_is_a_clear_error(register_version: Register) -> None:
    codes = []
    for call in (lambda: promote(PARAMS), lambda: rollback(PARAMS), lambda: promote(small_params(model="auto"))):
        with pytest.raises(RegistryError) as error:
            call()
        codes.append(error.value.code)
    register_version(fid=10.0)
    with pytest.raises(RegistryError) as error:
        promote(PARAMS, "77")
    assert [*codes, error.value.code] == [
        "no-challenger",
        "no-previous-champion",
        "model-name-unresolved",
        "no-such-version",
    ]


def test_scores_of_another_protocol_do_not_compare_until_the_champion_is_scored_again(register: Register) -> None:
    register(fid=50.0, protocol="q")
    refused = promote(PARAMS)
    assert refused.decision.codes[0] == "not-comparable"
    versions().mark("1", measured_tag(small_scores("q", fid=60.0)))
    assert promote(PARAMS).moved


NO_ZONE = '{"at": "2026-01-01T00:00:00", "event": "promoted", "version": "1", "former": null}'
NO_REASON = (
    '{"key": "k", "at": "2026-01-01T00:00:00Z", "event": "rolled back", "version": "2", "former": "1", '
    '"becomes_previous": null, "by": "x", "reasons": []}'
)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("measured.aaaa", '{"scores": 7}'),
        ("promotion.pending", "not JSON"),
        ("promotion.pending", NO_REASON),
        ("history.x", "not JSON"),
        ("history.x", NO_ZONE),
    ],
)
def test_a_tag_that_cannot_be_read_blocks_nothing(register: Register, tag: str, value: str) -> None:
    if tag.startswith("measured"):
        versions().mark("1", {tag: "not JSON"})
        versions().mark("2", {tag: value})
    else:
        versions().set_tag(tag, value)
    assert promote(PARAMS).moved
    assert rollback(PARAMS) == ("1", "2")
    assert aliases() == ("1", None, "2")
    assert PENDING not in versions().tags()


def test_scores_that_cannot_be_read_count_as_unknown(register: Register) -> None:
    (key,) = (key for key in versions().get("1").tags if key.startswith("measured."))
    versions().mark("1", {key: "{"})
    assert promote(PARAMS).decision.codes[0] == "not-comparable"


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
def three(request: pytest.FixtureRequest, tracking_home: Path, snapshot: Path) -> None:
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


def test_models_of_other_names_are_left_alone(register: Register) -> None:
    with pytest.raises(RegistryError) as error:
        promote(small_params(model="other"))
    assert error.value.code == "no-challenger"
    assert aliases() == ("1", None, "2")


@pytest.mark.parametrize("error", [ConnectionError("reset by peer"), MlflowException("status 503")])
def test_a_champion_whose_store_does_not_answer_is_not_replaced_as_broken(
    register: Register, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    register(fid=20.0)

    def silent(uri: str) -> Path:
        raise error

    monkeypatch.setattr(load, "download", silent)
    with pytest.raises(TrackingError) as caught:
        promote(PARAMS)
    assert caught.value.code == "store-unusable"
    assert versions().at(CHAMPION) == "1"
