"""The periods of each champion, from the events that are recorded and the alias."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ganops.registry.history import Entry, Event, champion_before, champion_periods, entries, history, record
from ganops.registry.versions import CHAMPION, Versions
from ganops.tracking.store import connect


def entry(minute: int, event: Event, version: str, former: str | None) -> Entry:
    return Entry(at=datetime(2026, 1, 1, 12, minute, tzinfo=UTC), event=event, version=version, former=former)


ENTRIES = [
    entry(0, "promoted", "1", None),
    entry(1, "promoted", "2", "1"),
    entry(2, "promoted", "3", "2"),
    entry(3, "rolled back", "2", "3"),
    entry(4, "rolled back", "1", "2"),
]


def test_each_period_ends_where_the_next_event_is() -> None:
    periods = champion_periods(ENTRIES, "1")
    assert [(period.version, period.since.minute, period.ended) for period in periods if period.since] == [
        ("1", 0, "promoted"),
        ("2", 1, "promoted"),
        ("3", 2, "rolled back"),
        ("2", 3, "rolled back"),
        ("1", 4, None),
    ]
    assert [period.until for period in periods] == [*(entry.at for entry in ENTRIES[1:]), None]
    assert champion_periods([], None) == []


def test_the_alias_is_the_truth_where_entries_are_missing() -> None:
    """Another version is champion than the last entry says, or entries in between were deleted."""
    by_hand = champion_periods(ENTRIES[:2], "7", "dcgan")
    assert [(period.version, period.since is None, period.until, period.ended) for period in by_hand[1:]] == [
        ("2", False, None, "unknown"),
        ("7", True, None, None),
    ]
    assert by_hand[-1].recipe == "dcgan"
    gap = champion_periods([ENTRIES[0], ENTRIES[2]], "3")
    assert [(period.version, period.since is None, period.ended) for period in gap] == [
        ("1", False, "unknown"),
        ("2", True, "promoted"),
        ("3", False, None),
    ]
    assert [(period.version, period.ended) for period in champion_periods(ENTRIES[:1], None)] == [("1", "unknown")]


def test_the_champion_before_is_the_one_it_was_promoted_over() -> None:
    assert champion_before(ENTRIES, "2") == "1"
    assert champion_before(ENTRIES, "1") is None
    assert champion_before(ENTRIES, "9") is None


def test_entries_are_kept_in_the_registry_and_read_in_order(register_version: Callable[..., str]) -> None:
    version = register_version(fid=1.0)
    versions = Versions(connect(), "ganops")
    for number in (2, 0, 4, 1, 3, 3):
        record(versions, f"key-{number}", ENTRIES[number])
    versions.set_tag("history.of-somebody-else", "not ours")
    assert entries(versions) == ENTRIES
    versions.set_alias(CHAMPION, version)
    assert [period.version for period in history(versions)] == ["1", "2", "3", "2", "1"]


def test_a_missing_model_has_no_history(tracking_home: Path) -> None:
    assert history(Versions(connect(), "nobody")) == []
