"""Several trainings of one recipe by different seeds: one candidate, with the spread between them as its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ganops.evaluation.estimate import Estimate
from ganops.evaluation.verdict import pool
from ganops.recipe import Recipe
from ganops.reporting.leaderboard import Row, ranked
from ganops.reporting.scores import ERROR_SUFFIX, ShownScore, in_order


def pool_seeds(rows: Sequence[Row], recipes: Mapping[str, Recipe], seed: int, score: ShownScore) -> list[Row]:
    """One row for each candidate; recipes that are the same but for their seed are one candidate.

    recipes: by name, of all rows. seed: of those that have none of their own.
    A pooled row is that of its best training by `score`, with the mean of each score that all of them have and the
    standard error of that mean; `seeds` names them, best first. Trainings that fell sick, or have no `score`, are left
    out of the mean; their health events stay on record.
    """
    candidates: dict[str, dict[int, Row]] = {}
    for row in rows:
        recipe = recipes[row.recipe]
        own = seed if recipe.seed is None else recipe.seed
        trainings = candidates.setdefault(recipe.model_copy(update={"seed": None}).digest(), {})
        if own in trainings:  # the same training under another name: it tells nothing of the spread
            trainings = candidates.setdefault(row.recipe, {})
        trainings[own] = row
    return [_pooled(ranked(list(trainings.values()), score), score) for trainings in candidates.values()]


def _pooled(trainings: Sequence[Row], score: ShownScore) -> Row:
    best, *others = trainings
    events = [f"{row.recipe}: {event}" for row in others for event in row.health_events]
    candidate = replace(best, health_events=(*best.health_events, *events))
    counted = [row for row in trainings if not row.sick and score.value(row.scores) is not None]
    if len(counted) < 2:
        return candidate
    return replace(candidate, scores=_means(counted), seeds=tuple(row.recipe for row in counted))


def _means(rows: Sequence[Row]) -> dict[str, float]:
    """The mean of each score that all rows have; an error that is nothing is left out."""
    means: dict[str, float] = {}
    for score in in_order({key for row in rows for key in row.scores}):
        values = [score.value(row.scores) for row in rows]
        known = [
            Estimate(value, score.error(row.scores))
            for value, row in zip(values, rows, strict=True)
            if value is not None
        ]
        if len(known) == len(rows):
            found = pool(known)
            means[score.key] = found.value
            if found.error:
                means[score.key + ERROR_SUFFIX] = found.error
    return means
