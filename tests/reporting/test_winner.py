"""Who wins, as a truth table, and that the reason says why."""

from __future__ import annotations

import pytest
from example_results import row, scores

from ganops.errors import EvaluationError
from ganops.evaluation.metric_names import describe
from ganops.reporting.leaderboard import LeaderboardRow
from ganops.reporting.scores import metrics_of
from ganops.reporting.winner import choose_winner


@pytest.mark.parametrize(
    ("rows", "key", "expected", "why"),
    [
        ([row("a", fid=30.0), row("b", fid=20.0)], "fid", "b", "lowest FID, 20: 10.00 (33%) below a"),
        ([row("a", is_=8.0), row("b", is_=5.0)], "is", "a", "highest IS, 8: 3.000 (60%) above b"),
        ([row("a", kid=0.01), row("b", kid=-0.01)], "kid", "b", "lowest KID, -0.01000: 0.02000 below a"),
        ([row("a", fid=9.0)], "fid", "a", "only recipe"),
        ([row("a", unhealthy=True, fid=9.0), row("b", fid=99.0)], "fid", "b", "a could not win"),
        ([row("a", kid=0.1), row("b", fid=99.0)], "fid", "b", "a could not win: it has no FID"),
        ([row("a", fid=9.0), row("b", 500, fid=9.0)], "fid", "b", "b has fewer parameters"),
        ([row("a", fid=9.0), row("b", fid=9.0)], "fid", "a", "a is listed first"),
        ([row("a", fid=(9.0, 1.0)), row("b", fid=(9.5, 1.0))], "fid", "a", "within its uncertainty"),
        ([row("a", fid=9.0), row("real", kind="reference", fid=1.0)], "fid", "a", "only recipe"),
        ([row("a", fid=9.0), row("identity", kind="baseline", fid=1.0)], "fid", "a", "only recipe"),
        ([row("a", precision=0.9), row("b", precision=0.8)], "precision", "a", "highest"),
    ],
)
def test_truth_table(rows: list[LeaderboardRow], key: str, expected: str, why: str) -> None:
    winner = choose_winner(rows, describe(key))
    assert (winner.recipe, winner.metric.key) == (expected, key)
    assert winner.value == next(row.scores[key].value for row in rows if row.name == expected)
    assert why in winner.why
    assert winner.why.endswith(".")


def test_a_clear_margin_leaves_no_doubt() -> None:
    rows = [row("a", fid=(9.0, 0.1)), row("b", fid=(9.5, 0.1))]  # 3.5 standard errors
    assert "uncertainty" not in choose_winner(rows, describe("fid")).why


def test_the_dump_is_what_register_reads() -> None:
    assert choose_winner([row("a", fid=9.0)], describe("fid")).dump() | {"why": ""} == {
        "recipe": "a",
        "metric": "fid",
        "value": 9.0,
        "why": "",
        "seeds": [],
        "mean": None,
    }


@pytest.mark.parametrize(
    ("rows", "key", "code", "found"),
    [
        ([], "fid", "no-winner", "no recipes"),
        ([row("real", kind="reference", fid=1.0)], "fid", "no-winner", "no recipes"),
        (
            [row("a", unhealthy=True, fid=9.0), row("b", kid=0.1)],
            "fid",
            "no-winner",
            "a became unhealthy in training; b has no FID",
        ),
        (
            [row("a", fid=9.0), row("b", samples=500, fid=8.0)],
            "fid",
            "protocols-differ",
            "samples: 5000 (a), 500 (b)",
        ),
        ([row("a", sharpness=9.0)], "sharpness", "metric-without-direction", "sharpness"),
    ],
    ids=["none", "references only", "all out", "two protocols", "no direction"],
)
def test_without_a_winner_the_error_says_why(rows: list[LeaderboardRow], key: str, code: str, found: str) -> None:
    with pytest.raises(EvaluationError) as error:
        choose_winner(rows, metrics_of([key])[0])
    assert (error.value.code, error.value.found) == (code, found)


def test_the_order_of_recipes_does_not_matter_unless_they_are_equal() -> None:
    rows = [row("a", fid=3.0), row("b", fid=2.0), row("c", unhealthy=True, fid=4.0), row("d", kid=1.0)]
    fid = describe("fid")
    assert {choose_winner(rows[shift:] + rows[:shift], fid).recipe for shift in range(4)} == {"b"}


def test_scores_of_another_protocol_are_not_in_the_way_where_they_do_not_decide() -> None:
    other = LeaderboardRow("b", scores({"samples": 9}, kid=1.0), training=row("b").training)
    assert choose_winner([row("a", fid=9.0, kid=2.0), other], describe("fid")).recipe == "a"
