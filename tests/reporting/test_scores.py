"""Scores are written as finely as their errors allow, and compared only where that is allowed."""

from __future__ import annotations

from math import inf

import pytest
from example_results import SHARED, scores

from ganops.evaluation.estimate import Estimate
from ganops.evaluation.metric_names import describe
from ganops.reporting.scores import compare, heading, metrics_of, number, show, sort_key


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (12.3456, None, "12.35"),
        (12.3456, 0.4242, "12.35 ± 0.42"),
        (123.456, 17.2, "123 ± 17"),
        (0.00210, 0.00012, "0.00210 ± 0.00012"),
        (10.0, None, "10"),
        (10.0, 0.0, "10"),
    ],
)
def test_a_score_is_written_as_finely_as_its_error_allows(value: float, error: float | None, text: str) -> None:
    assert show(Estimate(value, error)) == text


def test_a_missing_score_is_a_dash() -> None:
    assert show(None) == "-"


def test_numbers_have_four_digits() -> None:
    assert [number(value) for value in (1234.5, -0.0021, 10.0)] == ["1,234", "-0.002100", "10.00"]


def test_headings_are_honest_about_features_and_point_to_the_better_side() -> None:
    assert [heading(describe(key)) for key in ("fid", "is", "fid_classifier")] == [
        "FID ↓",
        "IS ↑",
        "FID (classifier) ↓",
    ]


def test_unknown_metrics_come_last_and_are_shown_by_their_key() -> None:
    found = metrics_of({"zebra_stripes", "kid", "fid"})
    assert [metric.key for metric in found] == ["fid", "kid", "zebra_stripes"]
    assert (found[-1].title, found[-1].better) == ("zebra stripes", None)


def test_verdicts_need_one_protocol_and_a_better_side() -> None:
    low, high = scores(fid=(1.0, 0.1), zebra=1.0), scores(fid=(2.0, 0.1), zebra=2.0)
    fid, zebra = metrics_of({"fid", "zebra"})
    assert (compare(fid, low, high), compare(fid, high, low), compare(fid, low, low)) == (
        "better",
        "worse",
        "cannot tell",
    )
    assert compare(zebra, low, high) is None
    assert compare(fid, low, scores(SHARED | {"samples": 9}, fid=2.0)) is None
    assert compare(fid, low, scores(kid=1.0)) is None


def test_what_sorts_first_is_better() -> None:
    fid, score, zebra = describe("fid"), describe("is"), metrics_of(["zebra"])[0]
    found = scores(fid=3.0, is_=4.0, zebra=1.0)
    assert (sort_key(fid, found), sort_key(score, found)) == (3.0, -4.0)
    assert sort_key(zebra, found) == sort_key(describe("kid"), found) == inf
