"""Promotion and rollback: the right version is champion, always, and the history agrees."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from promoting import PARAMS, Aliases, Register, aliases, periods, quarantined, versions
from small_model import small_params, small_scores

from ganops.errors import RegistryError, TrackingError
from ganops.registry import load, promotion
from ganops.registry.load import registered_folder
from ganops.registry.pending import PENDING
from ganops.registry.promotion import promote, rollback
from ganops.registry.versions import CHAMPION, measured_tag


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
