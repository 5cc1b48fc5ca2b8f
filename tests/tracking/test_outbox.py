"""The outbox: order is kept, the work is never held up, and what a failing store missed arrives later."""

from __future__ import annotations

import threading
import time

import pytest

from ganops.tracking.outbox import Outbox


class FlakyStore:
    """Keeps what it is sent, except while it is down."""

    def __init__(self) -> None:
        self.down = threading.Event()
        self.attempts, self.kept = 0, list[int]()

    def take(self, record: int) -> None:
        self.attempts += 1
        if self.down.is_set():
            raise ConnectionError("nobody listens\nand more")
        self.kept.append(record)


def test_everything_arrives_in_order() -> None:
    store, outbox = FlakyStore(), Outbox()
    for record in range(100):
        outbox.put(f"record {record}", lambda record=record: store.take(record))
    assert outbox.close() == []
    assert store.kept == list(range(100))


def test_a_store_that_is_away_for_a_while_gets_everything_later(capsys: pytest.CaptureFixture[str]) -> None:
    store, outbox = FlakyStore(), Outbox(pause=0.01)
    store.down.set()
    for record in range(5):
        outbox.put(f"record {record}", lambda record=record: store.take(record))
    while store.attempts < 3:
        time.sleep(0.005)
    store.down.clear()
    assert outbox.close(patience=10) == []
    assert store.kept == list(range(5))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "warning: the tracking store does not answer; work goes on, records are kept: nobody listens"
    assert "answers again" in lines[1]
    assert len(lines) == 2, "one warning per outage, not one per attempt"


def test_a_store_that_stays_away_costs_no_more_than_the_patience() -> None:
    store, outbox = FlakyStore(), Outbox(pause=0.01)
    store.down.set()
    for record in range(3):
        outbox.put(f"record {record}", lambda record=record: store.take(record))
    started = time.monotonic()
    assert outbox.close(patience=0.3) == ["record 0", "record 1", "record 2"]
    assert time.monotonic() - started < 2


def test_a_slow_store_does_not_hold_up_the_work() -> None:
    outbox = Outbox()
    started = time.monotonic()
    for _ in range(3):
        outbox.put("slow", lambda: time.sleep(0.2))
    assert time.monotonic() - started < 0.1
    assert outbox.close() == []
    assert time.monotonic() - started > 0.5


def test_a_record_that_is_refused_does_not_block_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    store, outbox = FlakyStore(), Outbox()

    def refused() -> None:
        raise ValueError("no such key")

    outbox.put("tag x", refused)
    outbox.put("record 1", lambda: store.take(1))
    assert outbox.close() == []
    assert store.kept == [1]
    assert "refused tag x: no such key" in capsys.readouterr().err


def test_an_outbox_nobody_used_closes_at_once() -> None:
    assert Outbox().close() == []
