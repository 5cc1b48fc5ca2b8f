"""How long a training is and when it does what: pure numbers from recipe and settings."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ganops.params import TrainParams
from ganops.recipe import Recipe

ROWS = 400  # rows of curves in a whole training
SHORT_ROUNDS = {"two-steps": 2, "profile": 40}  # debug modes that do not need the budget


@dataclass(frozen=True)
class Plan:
    """Counted in rounds; a round is one turn sequence of all players.

    images_per_step: real images shown to the first player in a round.
    row_every: rounds between rows of curves.
    sample_at: rounds after which a grid of samples is made; the first is 0, the last is `rounds`.
    validate_at: rounds after which the samples are scored; each gives a row of curves, the last is `rounds`.
    """

    steps: int
    images_per_step: int
    row_every: int
    sample_at: frozenset[int]
    validate_at: frozenset[int]

    def kimg(self, step: int) -> float:
        """Thousands of real images shown after `step` rounds."""
        return step * self.images_per_step / 1000


def make_plan(recipe: Recipe, params: TrainParams, first_player: str) -> Plan:
    """The plan of a recipe's budget, scaled by `train.budget_scale`; at least two rounds."""
    images_per_step = recipe.batch_size * recipe.turns.get(first_player, 1)
    # Rounded first: 48 thousandths of a kimg are 48 images, not a hair more and one round besides.
    rounds = math.ceil(round(recipe.budget_kimg * params.budget_scale * 1000 / images_per_step, 6))
    rounds = SHORT_ROUNDS.get(params.debug, max(2, rounds))
    times = min(params.sample_times, rounds)
    sample_at = frozenset(round(rounds * index / times) for index in range(times + 1))
    row_every = max(1, rounds // ROWS)
    wanted = round(rounds * images_per_step / (1000 * params.validate_kimg))
    scores = min(max(1, wanted), rounds // row_every)
    scored = (round(rounds * index / scores / row_every) * row_every for index in range(1, scores))
    return Plan(rounds, images_per_step, row_every, sample_at, frozenset({*scored, rounds}))
