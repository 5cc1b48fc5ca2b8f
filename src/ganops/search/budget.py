"""How long a trial trains: thousands of images, or a time that is turned into them before it begins."""

from __future__ import annotations

import re
import tempfile
import time
from dataclasses import dataclass
from math import floor
from pathlib import Path

from ganops.data.packed import read_domains
from ganops.errors import SearchError
from ganops.evaluation.held_out import held_out
from ganops.evaluation.validation_metric import ValidationMetric
from ganops.recipe import Recipe
from ganops.tracked_training import open_validation
from ganops.training.job import TrainingJob
from ganops.trial import ROWS, seconds_of_step
from ganops.workspace import WORKSPACE

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
FORM = re.compile(r"(?P<number>\d+(\.\d*)?|\.\d+) *(?P<unit>kimg|s|min|h)")
LEAST_STEPS = 20


@dataclass(frozen=True)
class Budget:
    """Of one trial: either `kimg` or `seconds` of training with its validations."""

    kimg: float | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.kimg:g} kimg" if self.seconds is None else f"{self.seconds:g} s"


def read_budget(text: str) -> Budget:
    """Read `40kimg`, `1min`, `90s` or `2h`; raises SearchError for another form."""
    found = FORM.fullmatch(text.strip())
    number = float(found["number"]) if found else 0.0
    if found is None or number <= 0:
        raise SearchError(
            f"'{text}' is not a budget",
            code="bad-budget",
            expected="a number above 0 with a unit: 40kimg (thousands of images), 90s, 1min, 2h",
            found=text,
        )
    return Budget(kimg=number) if found["unit"] == "kimg" else Budget(seconds=number * SECONDS[found["unit"]])


def with_budget(recipe: Recipe, kimg: float, validations: int, scale: float = 1.0) -> Recipe:
    """The recipe with so many kimg and validations of them. scale: train.budget_scale, which multiplies them later."""
    return recipe.model_copy(
        update={"budget_kimg": round(kimg / scale, 6), "validate_kimg": round(kimg / validations, 6)}
    )


def affordable_kimg(job: TrainingJob, seconds: float, validations: int) -> float:
    """The kimg that fit into `seconds`, validations included, measured by some steps and one validation.

    Changes settings of torch for this process, as a training does.
    Raises SearchError where there is time for fewer than 20 steps.
    """
    rows = [each.select(slice(0, ROWS)) for each in read_domains(WORKSPACE.prepared, "train", job.data).values()]
    with tempfile.TemporaryDirectory() as folder:
        trainer = job.build(rows, Path(folder), held_out=held_out(WORKSPACE.prepared, job.spec, "validation"))
        step = seconds_of_step(trainer)
        validation = open_validation(job, trainer.game)
        began = time.monotonic()
        if isinstance(validation, ValidationMetric):
            validation(trainer.game.eval())
        each = time.monotonic() - began
    steps = floor((seconds - validations * each) / step)
    if steps < LEAST_STEPS:
        raise SearchError(
            f"{job.name}: {seconds:g} seconds are too short",
            code="budget-too-short",
            expected=f"time for {LEAST_STEPS} steps of {step:.2g} s and {validations} validations of {each:.2g} s",
            action="give a longer --budget, fewer `validations` in the search space, or lower train.validation_samples",
        )
    return steps * trainer.plan.images_per_step / 1000
