"""Rejections are counted by reason, safe to print, and too many of them stop the work with the worst named."""

from __future__ import annotations

import json

import pytest

from ganops.data.rejection import Reason, Rejection, check_share, count_reasons, printable
from ganops.errors import DataError

SOME = [
    Rejection("b.png", Reason.DAMAGED, "image file is truncated"),
    Rejection("a.txt", Reason.NOT_AN_IMAGE),
    Rejection("c.png", Reason.DAMAGED),
]


def test_reasons_are_counted_most_frequent_first() -> None:
    assert list(count_reasons(SOME).items()) == [("truncated or damaged", 2), ("not an image", 1)]


def test_a_share_up_to_the_limit_is_accepted() -> None:
    check_share(SOME, total=100, limit=0.03)
    check_share([], total=100, limit=0.0)


def test_a_share_above_the_limit_names_the_worst_offenders() -> None:
    with pytest.raises(DataError) as caught:
        check_share(SOME, total=100, limit=0.029)
    assert caught.value.code == "too-many-rejected"
    assert caught.value.found == "2 x truncated or damaged (b.png, c.png); 1 x not an image (a.txt)"


def test_the_error_stays_short_however_many_there_are() -> None:
    many = [Rejection(f"{index}.png", reason) for index in range(1000) for reason in Reason]
    with pytest.raises(DataError) as caught:
        check_share(many, total=len(many), limit=0.5)
    assert "1,000 x not an image (0.png, 1.png, 2.png, ...)" in str(caught.value)
    assert f"{1000 * (len(Reason) - 3):,} for other reasons" in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["caf\udce9.png", "esc\x1b[2J.png", "right\u202eleft.png", "two\nlines.png"])
def test_names_are_made_safe_for_terminals_and_json(name: str) -> None:
    safe = printable(name)
    assert safe.isprintable()
    assert json.loads(json.dumps(safe).encode("utf-8")) == safe


def test_ordinary_names_stay_as_they_are() -> None:
    assert printable("Chatons été/☕ 1.png") == "Chatons été/☕ 1.png"


def test_the_words_of_a_rejection_hold_its_detail() -> None:
    assert SOME[0].words == "truncated or damaged: image file is truncated"
    assert SOME[1].words == "not an image"
    assert len(Rejection("x", Reason.DAMAGED, "y" * 10_000).words) < 200
