"""Our side of a training benchmark: the trainer of a TrainingJob, as the train stage builds it."""

from __future__ import annotations

from pathlib import Path

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.sampling import HeldOut
from ganops.params import TrainParams
from ganops.recipe import Recipe
from ganops.training.best import Validation
from ganops.training.callback import Callback
from ganops.training.job import TrainingJob
from ganops.training.trainer import Trainer


def make_trainer(
    recipe: Recipe,
    rows: Rows,
    spec: DataSpec,
    settings: TrainParams,
    folder: Path,
    *,
    seed: int = 0,
    callback: Callback | None = None,
    validation: Validation | None = None,
    held_out: HeldOut | None = None,
) -> Trainer:
    """A trainer of stored rows of `spec`; folder: of its checkpoints."""
    job = TrainingJob("benchmark", recipe, settings, seed, spec, data_digest="")
    return job.build([rows], folder, callback=callback, validation=validation, held_out=held_out)
