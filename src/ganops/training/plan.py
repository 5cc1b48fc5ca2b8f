"""How long a training is and when it does what: pure numbers from recipe and settings."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from ganops.games.stage import Stage, stage_ends
from ganops.params import TrainParams
from ganops.recipe import Recipe

LOG_ROWS = 400  # rows of curves in a whole training
SHORT_STEPS = {"two-steps": 2, "profile": 40}  # debug modes that do not need the budget


@dataclass(frozen=True)
class Plan:
    """Counted in steps; a step is one sequence of turns of all players.

    images_per_step: real images shown to the first player in a step.
    log_every: steps between rows of curves.
    sample_at: steps after which samples are drawn; the first is 0, the last is `steps`.
    validate_at: steps after which the validation metric is computed; each gives a row of curves, the last is `steps`.
    stage_ends: the step at which each stage of the game ends; the last is `steps`.
    """

    steps: int
    images_per_step: int
    log_every: int
    sample_at: frozenset[int]
    validate_at: frozenset[int]
    stage_ends: tuple[int, ...]

    def kimg(self, step: int) -> float:
        """Thousands of real images shown after `step` steps."""
        return step * self.images_per_step / 1000

    def stage(self, step: int) -> int:
        """The number of the stage that the step after `step` steps belongs to."""
        return bisect(self.stage_ends[:-1], step)

    def logs(self, step: int) -> bool:
        """Whether `step` steps end with a row of curves."""
        return step % self.log_every == 0 or step == self.steps

    def in_last_stage(self, step: int) -> bool:
        """Whether the last of `step` steps belonged to the last stage that there are steps for."""
        return step > 0 and self.stage(step - 1) == self.stage(self.steps - 1)


def make_plan(recipe: Recipe, params: TrainParams, first_player: str, stages: Sequence[Stage] = ()) -> Plan:
    """The plan of a recipe's budget, scaled by `train.budget_scale`; at least two steps.

    A step counts as many images in a stage in which the first player rests.
    """
    images_per_step = recipe.batch_size * recipe.turns.get(first_player, 1)
    # Rounded first: 48 thousandths of a kimg are 48 images; a binary fraction slightly above must not add a step.
    steps = math.ceil(round(recipe.budget_kimg * params.budget_scale * 1000 / images_per_step, 6))
    steps = SHORT_STEPS.get(params.debug, max(2, steps))
    times = min(params.sample_times, steps)
    sample_at = frozenset(round(steps * index / times) for index in range(times + 1))
    log_every = max(1, steps // LOG_ROWS)
    wanted = round(steps * images_per_step / (1000 * (recipe.validate_kimg or params.validate_kimg)))
    validations = min(max(1, wanted), steps // log_every)
    validate_at = (round(steps * index / validations / log_every) * log_every for index in range(1, validations))
    return Plan(
        *(steps, images_per_step, log_every, sample_at, frozenset({*validate_at, steps})), stage_ends(stages, steps)
    )
