"""Admission by images: bounds, waiting times, the rate."""

from __future__ import annotations

import pytest

from ganops.serving import admission
from ganops.serving.admission import Admission, BusyError


def test_what_is_inside_is_bounded_and_the_refusal_says_when_to_come_again() -> None:
    inside = Admission(100, patience=60.0, rate=10.0)
    inside.enter(90)
    with pytest.raises(BusyError) as refused:
        inside.enter(20)
    assert refused.value.code == "busy"
    assert refused.value.retry_after == 6, "110 images down to the half of 100, at 10 images/s"
    inside.enter(10)
    with pytest.raises(BusyError):
        inside.check()
    inside.leave(100, "answered")
    inside.check()


def test_who_would_wait_too_long_is_refused_at_once() -> None:
    inside = Admission(10_000, patience=2.0, rate=10.0)
    inside.enter(15)
    with pytest.raises(BusyError) as refused:
        inside.enter(6)
    assert refused.value.retry_after == 2, "21 images down to the half of 20, at 10 images/s"


def test_an_empty_service_admits_whatever_it_is_asked() -> None:
    inside = Admission(10_000, patience=1.0, rate=1.0)
    inside.enter(500)
    assert inside.inside == 500


def test_the_rate_follows_what_is_answered_under_load(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(admission.time, "monotonic", lambda: now)
    inside = Admission(100_000, patience=1e9, rate=10.0)
    inside.enter(10_000)
    for _ in range(100):
        now += 1.0
        inside.leave(50, "answered")
    assert inside.rate == pytest.approx(50, rel=0.01)
    inside.leave(inside.inside, "dropped")
    for _ in range(100):  # one image in a second is no load, and says nothing of what could be
        inside.enter(1)
        now += 1.0
        inside.leave(1, "answered")
    assert inside.rate == pytest.approx(50, rel=0.01)


def test_a_rate_that_was_too_high_falls_where_nothing_is_answered_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large requests take turns: where too much is inside, all of them are late, and none would ever be measured."""
    now = 0.0
    monkeypatch.setattr(admission.time, "monotonic", lambda: now)
    inside = Admission(4000, patience=15.0, rate=100.0)
    for _ in range(10):
        inside.enter(100)
    for _ in range(10):
        now += 5.0
        inside.leave(100, "late")
    assert inside.rate < 2.0
    inside.enter(100)
    with pytest.raises(BusyError):
        inside.enter(100)
    now += 1e6
    inside.leave(100, "late")
    inside.enter(1)
