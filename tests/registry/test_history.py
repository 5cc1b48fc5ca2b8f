"""The times of each champion, from the events that are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ganops.registry.history import Entry, Event, champion_before, champion_periods, entries, record
from ganops.registry.versions import Versions
from ganops.tracking.store import connect


def entry(minute: int, event: Event, version: str | None, former: str | None) -> Entry:
    return Entry(at=datetime(2026, 1, 1, 12, minute, tzinfo=UTC), event=event, version=version, former=former)


STORY = [
    entry(0, "promoted", "1", None),
    entry(1, "promoted", "2", "1"),
    entry(2, "promoted", "3", "2"),
    entry(3, "quarantined", "2", "3"),
    entry(4, "rolled back", "1", "2"),
]


def test_each_reign_ends_where_the_next_event_is() -> None:
    times = champion_periods(STORY)
    assert [(reign.version, reign.since.minute, reign.ended) for reign in times] == [
        ("1", 0, "promoted"),
        ("2", 1, "promoted"),
        ("3", 2, "quarantined"),
        ("2", 3, "rolled back"),
        ("1", 4, None),
    ]
    assert [reign.until for reign in times] == [*(entry.at for entry in STORY[1:]), None]


def test_a_first_champion_that_fails_leaves_nobody() -> None:
    (only,) = champion_periods([entry(0, "promoted", "1", None), entry(1, "quarantined", None, "1")])
    assert (only.version, only.ended) == ("1", "quarantined")
    assert champion_periods([]) == []


def test_the_champion_before_is_the_one_it_was_promoted_over() -> None:
    assert champion_before(STORY, "2") == "1"
    assert champion_before(STORY, "1") is None
    assert champion_before(STORY, "9") is None


def test_entries_are_kept_in_the_registry_and_read_in_order(register_version: Callable[..., str]) -> None:
    register_version(fid=1.0)
    versions = Versions(connect(), "ganops")
    for number in (2, 0, 4, 1, 3, 3):
        record(versions, f"key-{number}", STORY[number])
    versions.set_tag("history.of-somebody-else", "not ours")
    assert entries(versions) == STORY


def test_a_model_that_is_not_there_has_no_history(tracking_home: Path) -> None:
    assert entries(Versions(connect(), "nobody")) == []
