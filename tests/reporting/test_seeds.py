"""Trainings of one recipe with different seeds are one row: the mean, the spread, the best one's own scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from example_results import row

from ganops.evaluation.estimate import Estimate
from ganops.evaluation.metric_names import describe
from ganops.recipe import Recipe, load_recipe
from ganops.reporting.leaderboard import LeaderboardRow
from ganops.reporting.seeds import average_seeds
from ganops.reporting.tables import leaderboard_text
from ganops.reporting.winner import choose_winner

DCGAN = load_recipe(Path(__file__).resolve().parents[2] / "pipeline" / "recipes" / "dcgan.yaml")
SEED = 7  # of params.yaml
FID = describe("fid")


def recipes(**seeds: int | None) -> dict[str, Recipe]:
    """DCGAN with these seeds, and another recipe."""
    return {name: DCGAN.model_copy(update={"seed": seed}) for name, seed in seeds.items()} | {
        "other": DCGAN.model_copy(update={"budget_kimg": 1.0})
    }


def averaged(rows: list[LeaderboardRow], known: dict[str, Recipe]) -> list[LeaderboardRow]:
    return average_seeds(rows, known, SEED, FID)


def test_the_mean_and_the_spread_between_seeds() -> None:
    """Values 10, 12, 17: mean 13, variance 13, standard error of the mean sqrt(13 / 3), above what each leaves open."""
    rows = [row("a", fid=(12.0, 0.1), kid=1.0), row("other", fid=11.0), row("b", fid=(10.0, 0.1))]
    rows.append(row("c", fid=(17.0, 0.1), kid=2.0))
    one, other = averaged(rows, recipes(a=None, b=8, c=9))
    assert (one.name, one.seeds) == ("b", ("b", "a", "c"))
    assert set(one.scores) == {"fid"}, "no kid: b has none"
    assert one.scores["fid"].value == 13.0
    assert one.scores["fid"].error == pytest.approx((13 / 3) ** 0.5)
    assert other == rows[1]


def test_the_best_models_own_scores_are_kept_apart_from_the_mean() -> None:
    (one,) = averaged([row("a", fid=12.0, kid=2.0), row("b", fid=(10.0, 0.1))], recipes(a=None, b=8))
    assert one.own["fid"] == Estimate(10.0, 0.1)
    assert one.mean is not None
    assert one.scores is one.mean


def test_the_errors_of_each_count_where_the_seeds_agree() -> None:
    (one,) = averaged([row("a", fid=(9.0, 3.0)), row("b", fid=(9.0, 4.0))], recipes(a=None, b=8))
    assert one.scores["fid"].error == pytest.approx(5.0 / 2)


def test_a_recipe_wins_by_its_mean_and_the_best_of_its_seeds_is_named() -> None:
    """The luckiest single training is another recipe's."""
    rows = [row("a", fid=5.0), row("b", fid=25.0), row("other", fid=12.0)]
    found = choose_winner(averaged(rows, recipes(a=None, b=8)), FID)
    assert (found.recipe, found.value) == ("other", 12.0)
    rows = [row("a", fid=9.0), row("b", fid=8.0), row("other", fid=12.0)]
    candidates = averaged(rows, recipes(a=None, b=8))
    found = choose_winner(candidates, FID)
    assert (found.recipe, found.value) == ("b", 8.5)
    dump = found.dump()
    assert dump["seeds"] == ["b", "a"]
    assert dump["mean"]["scores"]["fid"]["value"] == 8.5
    heading, _, first, second = leaderboard_text(candidates, FID, "b").splitlines()
    assert heading.endswith("seeds")
    assert (first.split()[:3], first.split()[-1]) == ([">", "1", "b"], "2")
    assert (second.split()[:2], second.split()[-1]) == (["2", "other"], "1")


def test_the_same_seed_twice_is_one_training_and_says_nothing_about_the_spread() -> None:
    rows = [row("a", fid=9.0), row("b", fid=9.0)]
    assert averaged(rows, recipes(a=None, b=SEED)) == rows


def test_scores_of_other_protocols_are_left_out_of_the_mean() -> None:
    (one,) = averaged([row("a", fid=9.0), row("b", samples=9, fid=8.0)], recipes(a=None, b=8))
    assert dict(one.scores) == {}


def test_unhealthy_trainings_and_those_without_the_metric_are_left_out() -> None:
    unhealthy = row("c", unhealthy=True, fid=99.0)
    assert unhealthy.training is not None
    unhealthy = replace(unhealthy, training=replace(unhealthy.training, health_events=("step 9: collapse: alike",)))
    rows = [row("a", fid=8.0), unhealthy, row("b", fid=10.0), row("d", kid=1.0)]
    (one,) = averaged(rows, recipes(a=None, b=8, c=9, d=10))
    assert (one.scores["fid"].value, one.seeds, one.unhealthy) == (9.0, ("a", "b"), False)
    assert one.training is not None
    assert one.training.health_events == ("c: step 9: collapse: alike",)
    (alone,) = averaged([unhealthy, row("a", fid=8.0)], recipes(a=None, c=9))
    assert (alone.name, alone.scores["fid"].value, alone.seeds) == ("a", 8.0, ())
    (all_unhealthy,) = averaged([unhealthy, row("a", unhealthy=True, fid=8.0)], recipes(a=None, c=9))
    assert all_unhealthy.unhealthy
