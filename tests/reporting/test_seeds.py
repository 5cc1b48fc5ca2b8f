"""Trainings of one recipe by different seeds are one candidate: the mean, the spread, the best one's name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from example_results import row

from ganops.recipe import Recipe, load_recipe
from ganops.reporting.leaderboard import Row
from ganops.reporting.scores import describe
from ganops.reporting.seeds import pool_seeds
from ganops.reporting.tables import leaderboard_text
from ganops.reporting.winner import choose_winner

DCGAN = load_recipe(Path(__file__).resolve().parents[2] / "pipeline" / "recipes" / "dcgan.yaml")
SEED = 7  # of params.yaml


def recipes(**seeds: int | None) -> dict[str, Recipe]:
    """DCGAN by these seeds, and another recipe."""
    return {name: DCGAN.model_copy(update={"seed": seed}) for name, seed in seeds.items()} | {
        "other": DCGAN.model_copy(update={"budget_kimg": 1.0})
    }


def pooled(rows: list[Row], known: dict[str, Recipe]) -> list[Row]:
    return pool_seeds(rows, known, SEED, describe("fid"))


def test_the_mean_and_the_spread_between_seeds() -> None:
    """Values 10, 12, 17: mean 13, variance 13, standard error of the mean sqrt(13 / 3), above what each leaves open."""
    rows = [row("a", fid=12.0, fid_error=0.1, kid=1.0), row("other", fid=11.0), row("b", fid=10.0, fid_error=0.1)]
    rows.append(row("c", fid=17.0, fid_error=0.1, kid=2.0))
    candidate, other = pooled(rows, recipes(a=None, b=8, c=9))
    assert (candidate.recipe, candidate.seeds) == ("b", ("b", "a", "c"))
    assert candidate.scores == pytest.approx({"fid": 13.0, "fid_error": (13 / 3) ** 0.5}), "no kid: b has none"
    assert other == rows[1]


def test_the_errors_of_each_count_where_the_seeds_agree() -> None:
    (candidate,) = pooled([row("a", fid=9.0, fid_error=3.0), row("b", fid=9.0, fid_error=4.0)], recipes(a=None, b=8))
    assert candidate.scores == pytest.approx({"fid": 9.0, "fid_error": 5.0 / 2})


def test_a_recipe_wins_by_its_mean_and_the_best_of_its_seeds_is_named() -> None:
    """The luckiest single training is another recipe's."""
    rows = [row("a", fid=5.0), row("b", fid=25.0), row("other", fid=12.0)]
    found = choose_winner(pooled(rows, recipes(a=None, b=8)), "fid")
    assert (found.recipe, found.value) == ("other", 12.0)
    rows = [row("a", fid=9.0), row("b", fid=8.0), row("other", fid=12.0)]
    candidates = pooled(rows, recipes(a=None, b=8))
    found = choose_winner(candidates, "fid")
    assert (found.recipe, found.value) == ("b", 8.5)
    assert "means of 2 seeds (b, a), of which it is the best" in found.why
    heading, _, first, second = leaderboard_text(candidates, "fid", "b").splitlines()
    assert heading.endswith("seeds")
    assert (first.split()[:2], first.split()[-1]) == ([">", "b"], "2")
    assert (second.split()[0], second.split()[-1]) == ("other", "1")


def test_the_same_seed_twice_is_one_training_and_says_nothing_of_the_spread() -> None:
    rows = [row("a", fid=9.0), row("b", fid=9.0)]
    assert pooled(rows, recipes(a=None, b=SEED)) == rows


def test_sick_trainings_and_those_without_the_score_are_left_out() -> None:
    events = ("step 9: collapse: all the same",)
    sick = replace(row("c", fid=99.0, sick=True), health_events=events)
    (candidate,) = pooled([row("a", fid=8.0), sick, row("b", fid=10.0), row("d")], recipes(a=None, b=8, c=9, d=10))
    assert (candidate.scores["fid"], candidate.seeds, candidate.sick) == (9.0, ("a", "b"), False)
    assert candidate.health_events == ("c: step 9: collapse: all the same",)
    (alone,) = pooled([sick, row("a", fid=8.0)], recipes(a=None, c=9))
    assert (alone.recipe, alone.scores["fid"], alone.seeds) == ("a", 8.0, ())
    (all_sick,) = pooled([sick, row("a", fid=8.0, sick=True)], recipes(a=None, c=9))
    assert all_sick.sick
