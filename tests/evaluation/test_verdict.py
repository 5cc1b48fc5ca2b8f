"""Better, worse or cannot tell: by the difference against its standard error, in the score's own direction."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from ganops.errors import EvaluationError
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.verdict import judge, pool


@pytest.mark.parametrize(
    ("candidate", "incumbent", "better", "verdict"),
    [
        ((10, 1), (20, 1), "lower", "better"),
        ((20, 1), (10, 1), "lower", "worse"),
        ((10, 1), (20, 1), "higher", "worse"),
        ((20, 1), (10, 1), "higher", "better"),
        ((10, 3), (15, 4), "lower", "cannot tell"),  # the difference 5 is one standard error, sqrt(9 + 16)
        ((10, 0.3), (15, 0.4), "lower", "better"),  # and here ten of them
        ((10, None), (10, None), "lower", "cannot tell"),
        ((9.99, None), (10, None), "lower", "better"),  # without errors both count as exact
        ((10, 1), (12, None), "lower", "cannot tell"),  # exactly two standard errors
    ],
)
def test_truth_table(
    candidate: tuple[float, float | None],
    incumbent: tuple[float, float | None],
    better: Literal["lower", "higher"],
    verdict: str,
) -> None:
    assert judge(Estimate(*candidate), Estimate(*incumbent), better) == verdict


def test_seeds_that_differ_more_than_their_own_errors_widen_the_spread() -> None:
    pooled = pool([Estimate(10, 0.1), Estimate(12, 0.1), Estimate(14, 0.1)])
    assert pooled.value == pytest.approx(12)
    assert pooled.error == pytest.approx(2 / 3**0.5)  # the standard deviation of 10, 12, 14 is 2


def test_seeds_that_agree_keep_their_own_errors() -> None:
    assert pool([Estimate(10, 0.3), Estimate(10, 0.4)]).error == pytest.approx(0.25)  # sqrt(.09 + .16) / 2
    assert pool([Estimate(5, 0.2)]) == Estimate(5, 0.2)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_equal_recipes_are_seldom_called_better_or_worse(seeds: int) -> None:
    """At most 6 % of 4,000 pairs, with errors of single scores a tenth of the spread between seeds.

    5 % is the nominal rate; 4,000 pairs know it to 0.35 %. A normal margin gives 18 % with two seeds.
    """
    generator = np.random.default_rng(0)
    pairs = generator.normal(10, 1, (4000, 2, seeds))
    pooled = [[pool([Estimate(value, 0.1) for value in side]) for side in pair] for pair in pairs]
    assert sum(judge(*pair, better="lower") != "cannot tell" for pair in pooled) / len(pooled) <= 0.06


def test_the_margin_of_few_seeds_is_students() -> None:
    """Two sigma are exceeded in 4.55 %; with two degrees of freedom that takes 4.53 standard errors (Student's t)."""
    few, exact = Estimate(0, 1.0, freedom=2), Estimate(0, 0.0)
    assert judge(Estimate(-4.5, 1.0, 2), exact, "lower") == "cannot tell"
    assert judge(Estimate(-4.6, 1.0, 2), exact, "lower") == "better"
    assert judge(few, exact, "lower") == "cannot tell"


def test_nothing_to_pool_is_refused() -> None:
    with pytest.raises(EvaluationError) as caught:
        pool([])
    assert caught.value.code == "no-scores"


@pytest.mark.parametrize(("value", "error"), [(float("nan"), 1.0), (float("inf"), 1.0), (1.0, float("nan"))])
def test_a_score_is_never_nan(value: float, error: float) -> None:
    with pytest.raises(EvaluationError) as caught:
        Estimate(value, error)
    assert caught.value.code == "score-not-finite"
