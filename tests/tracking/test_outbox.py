"""The outbox: order is kept, the work is never held up, and what a failing store missed is sent at the end."""

from __future__ import annotations

import threading
import time

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ErrorCode

from ganops.tracking import outbox as module
from ganops.tracking.outbox import Outbox, first_line, warn


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


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.02)


def put(outbox: Outbox, store: FlakyStore, record: int) -> None:
    outbox.put(f"record {record}", lambda: store.take(record))


def test_everything_arrives_in_order() -> None:
    store, outbox = FlakyStore(), Outbox()
    for record in range(100):
        put(outbox, store, record)
    assert outbox.close() == []
    assert store.kept == list(range(100))


def test_a_store_that_is_away_for_a_while_gets_everything_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    store, outbox = FlakyStore(), Outbox()
    store.down.set()
    for record in range(5):
        put(outbox, store, record)
    while store.attempts < 5:
        time.sleep(0.005)
    store.down.clear()
    put(outbox, store, 5)
    assert outbox.close(patience=10) == []
    assert sorted(store.kept) == [0, 1, 2, 3, 4, 5], "each once"
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, "one warning per outage, not one per record"
    assert "nobody listens" in lines[0]


def test_a_store_that_comes_back_while_the_end_waits_gets_everything() -> None:
    store, outbox = FlakyStore(), Outbox()
    store.down.set()
    for record in range(3):
        put(outbox, store, record)
    threading.Timer(0.3, store.down.clear).start()
    assert outbox.close(patience=10) == []
    assert sorted(store.kept) == [0, 1, 2]


def test_a_store_that_stays_away_costs_no_more_than_the_patience() -> None:
    store, outbox = FlakyStore(), Outbox()
    store.down.set()
    for record in range(3):
        put(outbox, store, record)
    started = time.monotonic()
    assert sorted(outbox.close(patience=0.3)) == ["record 0", "record 1", "record 2"]
    assert time.monotonic() - started < 2
    attempts = store.attempts
    time.sleep(0.2)
    assert store.attempts <= attempts + 1, "then it is left alone"


def test_a_slow_store_does_not_hold_up_the_work_and_gets_everything() -> None:
    outbox, sent = Outbox(), []
    started = time.monotonic()
    for number in range(5):
        outbox.put("slow", lambda number=number: (time.sleep(0.2), sent.append(number)))
    assert time.monotonic() - started < 0.1
    assert outbox.close(patience=0.5) == [], "patience counts from the last progress"
    assert sent == [0, 1, 2, 3, 4]


def test_a_record_that_is_refused_does_not_block_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    store, outbox = FlakyStore(), Outbox()

    def refused() -> None:
        raise ValueError("no such key")

    outbox.put("tag x", refused)
    put(outbox, store, 1)
    assert outbox.close() == []
    assert store.kept == [1]
    assert "tag x" in capsys.readouterr().err


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "UNAUTHENTICATED", "INTERNAL_ERROR"])
def test_a_record_without_the_right_to_write_waits_for_it(code: str) -> None:
    answers, sent = [code], list[str]()

    def send() -> None:
        if answers:
            raise MlflowException("token expired", ErrorCode.Value(answers.pop()))
        sent.append("curves")

    outbox = Outbox()
    outbox.put("curves", send)
    assert outbox.close() == []
    assert sent == ["curves"]


def test_a_record_that_never_succeeds_does_not_keep_the_others_back(capsys: pytest.CaptureFixture[str]) -> None:
    store, outbox = FlakyStore(), Outbox()

    def fails() -> None:
        raise ConnectionError("too large for this server")

    outbox.put("large", fails)
    for record in range(3):
        put(outbox, store, record)
    assert outbox.close(patience=0.3) == ["large"]
    assert store.kept == [0, 1, 2]
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_unused_outbox_closes_at_once() -> None:
    assert Outbox().close() == []


def test_passwords_do_not_reach_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    warn("http://me:secret@host/api failed")
    assert "secret" not in capsys.readouterr().err
    assert first_line(ConnectionError("http://me:secret@host/api failed")) == "http://***@host/api failed"
