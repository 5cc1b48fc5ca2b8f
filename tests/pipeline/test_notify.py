"""Messages: sent to where an environment variable says, by Apprise to a real listener; the address is never printed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from prefect.logging import disable_run_logger

from ganops.params import NotifyParams
from ganops.registry.gate import Decision
from ganops.registry.promotion import Promotion
from pipeline.flows import retraining
from pipeline.flows.notify import notify
from pipeline.flows.outcome import Outcome


class Listener(BaseHTTPRequestHandler):
    """Keeps what was posted."""

    heard: list[dict[str, Any]]

    def do_POST(self) -> None:
        """Keep it."""
        self.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What arrives at the address in GANOPS_NOTIFY_URL."""
    handler = type("Handler", (Listener,), {"heard": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GANOPS_NOTIFY_URL", f"json://user:secret@127.0.0.1:{server.server_port}/hook")
    yield handler.heard
    server.shutdown()


def test_an_event_is_sent_without_what_an_address_hides(listener: list[dict[str, Any]]) -> None:
    said = list[str]()
    notify(NotifyParams(), "verdict", "accepted: see http://me:word@host/x", said.append)
    (message,) = listener
    assert message["title"].startswith("ganops: retrained")
    assert message["message"] == "accepted: see http://***@host/x"
    assert message["type"] == "success"
    assert not said


def test_what_nobody_asked_for_is_not_sent(listener: list[dict[str, Any]]) -> None:
    notify(NotifyParams(events=("failure",)), "verdict", "x", pytest.fail)
    notify(NotifyParams(urls=("GANOPS_TEST_UNSET",)), "verdict", "x", pytest.fail)
    assert not listener


@pytest.mark.parametrize("address", ["nonsense:secret", "json://user:secret@127.0.0.1:9/hook"])
def test_what_cannot_be_sent_is_said_without_the_address(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("GANOPS_NOTIFY_URL", address)
    said = list[str]()
    notify(NotifyParams(), "failure", "x", said.append)
    assert len(said) == 1
    assert "GANOPS_NOTIFY_URL" in said[0]
    assert "secret" not in said[0]


def test_a_promotion_without_a_training_is_sent(
    monkeypatch: pytest.MonkeyPatch, listener: list[dict[str, Any]]
) -> None:
    """As after a gate that was interrupted: nothing has to run, and the champion changes."""
    decision = Decision(True, "accepted", ())
    outcomes = [Outcome((), Promotion(decision, "3", "2", moved=moved)) for moved in (False, True)]
    monkeypatch.setattr("pipeline.flows.begin.end_dead_flow_runs", list)
    monkeypatch.setattr(retraining, "has_remote", lambda: False)
    monkeypatch.setattr(retraining, "imported_files", list)
    monkeypatch.setattr(retraining, "train_gans", lambda *_: outcomes.pop(0))
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    with disable_run_logger():
        retraining.retrain_gans.fn()
        assert not listener
        retraining.retrain_gans.fn()
    (message,) = listener
    assert "version 3 is champion now" in message["message"]


@pytest.mark.parametrize("flow", [retraining.retrain_gans.fn, retraining.watch_gans.fn], ids=["retrain", "watch"])
def test_a_failure_that_nobody_foresaw_is_sent_too(
    monkeypatch: pytest.MonkeyPatch, listener: list[dict[str, Any]], flow: Callable[[], object]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.flows.begin.end_dead_flow_runs", list)
    monkeypatch.setattr(retraining, "has_remote", lambda: False)
    monkeypatch.setattr(retraining, "imported_files", list)
    monkeypatch.setattr(retraining, "train_gans", fail)
    monkeypatch.setattr("ganops.evaluation.drift.look_for_drift", fail)
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    with disable_run_logger(), pytest.raises(OSError, match="No space"):
        flow()
    (message,) = listener
    assert message["type"] == "failure"
    assert "OSError: [Errno 28] No space left on device" in message["message"]
