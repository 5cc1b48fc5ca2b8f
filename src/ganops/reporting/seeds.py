"""Several trainings of one recipe with different seeds: one row, with the spread between them as its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ganops.evaluation.metric import Metric
from ganops.evaluation.scores import Scores
from ganops.evaluation.verdict import pool
from ganops.recipe import Recipe
from ganops.reporting.leaderboard import LeaderboardRow, ranked


def average_seeds(
    rows: Sequence[LeaderboardRow], recipes: Mapping[str, Recipe], seed: int, metric: Metric
) -> list[LeaderboardRow]:
    """One row for each recipe; recipes that differ in nothing but their seed are one.

    recipes: by name, of all rows. seed: of those that set none themselves.
    Such a row is that of its best training by `metric`, with `mean` added: the mean of each score that all of them
    have, with the standard error of that mean. Trainings that ended unhealthy, or lack the metric, are left out of the
    mean; their health events are kept.
    """
    groups: dict[str, dict[int, LeaderboardRow]] = {}
    for row in rows:
        recipe = recipes[row.name]
        own = seed if recipe.seed is None else recipe.seed
        trainings = groups.setdefault(recipe.model_copy(update={"seed": None}).digest(), {})
        if own in trainings:  # the same training under another name adds nothing to the spread
            trainings = groups.setdefault(row.name, {})
        trainings[own] = row
    return [_averaged(ranked(list(trainings.values()), metric), metric) for trainings in groups.values()]


def _averaged(trainings: Sequence[LeaderboardRow], metric: Metric) -> LeaderboardRow:
    best, *others = trainings
    events = tuple(
        f"{row.name}: {event}" for row in others if row.training is not None for event in row.training.health_events
    )
    if best.training is not None and events:
        best = replace(best, training=replace(best.training, health_events=best.training.health_events + events))
    counted = [row for row in trainings if not row.unhealthy and metric.key in row.own]
    if len(counted) < 2:
        return best
    return replace(best, mean=mean_scores([row.own for row in counted]), seeds=tuple(row.name for row in counted))


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """The mean of each score that all have under one protocol, which is that of the first."""
    first, *others = scores
    shared = [key for key in first if all(other.comparable(first, key) for other in others)]
    means = {key: pool([each[key] for each in scores]) for key in shared}
    return Scores(means, first.protocol, {key: first.group_of[key] for key in shared})
