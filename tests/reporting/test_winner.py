"""Who wins, as a truth table, and that the reason says why."""

from __future__ import annotations

from math import inf, nan

import pytest
from example_results import row

from ganops.errors import EvaluationError
from ganops.reporting.leaderboard import Row
from ganops.reporting.winner import choose_winner


@pytest.mark.parametrize(
    ("rows", "score", "expected", "why"),
    [
        ([row("a", fid=30.0), row("b", fid=20.0)], "fid", "b", "lowest FID 20, 10.00 (33%) below a, the next one."),
        ([row("a", **{"is": 8.0}), row("b", **{"is": 5.0})], "is", "a", "highest IS 8, 3.000 (60%) above b"),
        ([row("a", kid=0.01), row("b", kid=-0.01)], "kid", "b", "lowest KID -0.01000, 0.02000 below a"),
        ([row("a", fid=9.0)], "fid", "a", "a is the only recipe that can be ranked: FID 9."),
        (
            [row("a", fid=9.0, sick=True), row("b", fid=99.0)],
            "fid",
            "b",
            "a could not win, as it fell sick in training",
        ),
        ([row("a", fid=nan), row("b", fid=99.0)], "fid", "b", "a could not win, as it has no FID"),
        ([row("a", **{"is": inf}), row("b", **{"is": 2.0})], "is", "b", "a could not win, as it has no IS"),
        ([row("a", kid=0.1), row("b", fid=99.0)], "fid", "b", "a could not win, as it has no FID"),
        (
            [row("a", fid=9.0), row("b", 500, fid=9.0)],
            "fid",
            "b",
            "share the best FID 9, and b has fewer parameters",
        ),
        (
            [row("a", fid=9.0), row("b", fid=9.0)],
            "fid",
            "a",
            "share the best FID 9, and a stands first in params.yaml",
        ),
        ([row("a", fid=9.0, fid_error=1.0), row("b", fid=9.5, fid_error=1.0)], "fid", "a", "cannot tell the two apart"),
    ],
)
def test_truth_table(rows: list[Row], score: str, expected: str, why: str) -> None:
    winner = choose_winner(rows, score)
    assert (winner.recipe, winner.score) == (expected, score)
    assert winner.value == next(row.scores[score] for row in rows if row.recipe == expected)
    assert why in winner.why
    assert winner.why.count(".\n") == 0
    assert winner.why.endswith(".")


def test_a_clear_margin_leaves_no_doubt() -> None:
    rows = [row("a", fid=9.0, fid_error=0.1), row("b", fid=9.5, fid_error=0.1)]  # 3.5 standard errors apart
    assert "apart" not in choose_winner(rows, "fid").why


@pytest.mark.parametrize(
    ("rows", "score", "message"),
    [
        ([], "fid", "no recipes"),
        ([row("a", fid=9.0, sick=True), row("b", kid=0.1)], "fid", "a fell sick in training; b has no FID"),
        ([row("a", fid=9.0), row("b", fid=8.0, protocol="b")], "fid", "a: samples 5000; b: samples 500"),
        ([row("a", sharpness=9.0)], "sharpness", "'sharpness' cannot choose a winner"),
    ],
    ids=["none", "all out", "two protocols", "no direction"],
)
def test_no_winner_is_an_error_that_says_why(rows: list[Row], score: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        choose_winner(rows, score)


def test_the_order_of_recipes_does_not_matter_unless_they_are_equal() -> None:
    rows = [row("a", fid=3.0), row("b", fid=2.0), row("c", fid=4.0, sick=True), row("d", fid=nan)]
    assert {choose_winner(rows[shift:] + rows[:shift], "fid").recipe for shift in range(4)} == {"b"}
