"""How long a training will take, measured by taking a few of its steps."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch

from ganops.data.packed import read_domains
from ganops.evaluation.held_out import held_out
from ganops.games.sampling import sample_outputs
from ganops.params import EvaluateParams
from ganops.training.job import TrainingJob

WARM, TIMED = 2, 5  # steps
ROWS = 4096  # of the data that the trial reads
LIMIT_SECONDS = 20.0
SAMPLES = 64


def estimate_minutes(job: TrainingJob, prepared: Path, evaluate: EvaluateParams) -> float:
    """Minutes that training and scoring one recipe take on this machine, to about a factor of two.

    Changes settings of torch for this process, as a training does.
    """
    rows = [each.select(slice(0, ROWS)) for each in read_domains(prepared, "train", job.data).values()]
    inputs = held_out(prepared, job.spec, "validation")
    with tempfile.TemporaryDirectory() as folder:
        trainer = job.build(rows, Path(folder), held_out=inputs)
        seconds = list[float]()
        began = time.monotonic()
        while len(seconds) < WARM + TIMED and time.monotonic() - began < LIMIT_SECONDS:
            start = time.monotonic()
            trainer.run_step()
            if trainer.hardware.device.type == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.monotonic() - start)
        start = time.monotonic()
        sample_outputs(trainer.game, SAMPLES, job.seed, held_out=inputs)
        per_sample = (time.monotonic() - start) / SAMPLES
    generated = evaluate.samples + len(trainer.plan.validate_at) * job.settings.validation_samples
    warm = seconds[WARM:] or seconds
    return (trainer.plan.steps * median(warm) + generated * per_sample) / 60


def together(minutes: Sequence[float], places: int) -> float:
    """Minutes until trainings of `minutes` each have ended, with so many running at a time."""
    ends = [0.0] * max(1, places)
    for each in minutes:
        ends[ends.index(min(ends))] += each
    return max(ends)
