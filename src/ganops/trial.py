"""How long a training will take, measured by taking a few of its steps."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import psutil
import torch

from ganops.data.packed import read_domains
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.held_out import held_out
from ganops.evaluation.metric import scored_field
from ganops.evaluation.validation_metric import MOST_SAMPLES
from ganops.games.sampling import sample_outputs
from ganops.params import EvaluateParams
from ganops.training.job import TrainingJob
from ganops.training.trainer import Trainer

WARM, TIMED = 2, 16  # steps; the least common multiple of the intervals of lazy terms in shipped recipes
ROWS = 4096  # of the data that the trial reads
LIMIT_SECONDS = 20.0
SAMPLES = 64
STARTS = 6  # of processes, one after the other: reference, train, evaluate, compare, register, promote


def estimate_minutes(job: TrainingJob, prepared: Path, evaluate: EvaluateParams) -> float:
    """Minutes that training and scoring one recipe take on this machine, to about a factor of two.

    Changes settings of torch for this process, as a training does.
    """
    rows = [each.select(slice(0, ROWS)) for each in read_domains(prepared, "train", job.data).values()]
    inputs = held_out(prepared, job.spec, "validation")
    with tempfile.TemporaryDirectory() as folder:
        trainer = job.build(rows, Path(folder), held_out=inputs)
        step = seconds_of_step(trainer)
        # The data's own classifier takes next to nothing, and is not there yet.
        extractor = (
            None if evaluate.features == "classifier" else load_extractor(evaluate, None, trainer.hardware.device)
        )
        scored = scored_field(trainer.game.task, job.spec)
        start = time.monotonic()
        outputs = sample_outputs(trainer.game, SAMPLES, job.seed, held_out=inputs)
        if extractor is not None and scored is not None:
            extractor(outputs[scored])
        per_sample = (time.monotonic() - start) / SAMPLES
    validation = min(job.settings.validation_samples, MOST_SAMPLES.get(evaluate.features, min(MOST_SAMPLES.values())))
    generated = evaluate.samples + len(trainer.plan.validate_at) * validation
    return (trainer.plan.steps * step + generated * per_sample) / 60


def seconds_of_step(trainer: Trainer) -> float:
    """Seconds that a step takes on average, after the first ones; a new trainer is the worse for it.

    On average, since some terms of a loss are computed in every fourth or sixteenth step only.
    """
    seconds = list[float]()
    began = time.monotonic()
    while len(seconds) < WARM + TIMED and time.monotonic() - began < LIMIT_SECONDS:
        start = time.monotonic()
        trainer.run_step()
        if trainer.hardware.device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.monotonic() - start)
    return mean(seconds[WARM:] or seconds)


def minutes_of_starts() -> float:
    """Minutes that all stages take to start, if each takes as long as this process took until now."""
    return STARTS * (time.time() - float(psutil.Process().create_time())) / 60


def in_words(minutes: float) -> str:
    """As in "about 14 minutes"; in hours from 90 minutes on."""
    count, unit = (minutes, "minute") if minutes < 90 else (minutes / 60, "hour")
    number = max(1, round(count))
    return f"about {number:,} {unit}{'' if number == 1 else 's'}"


def together(minutes: Sequence[float], places: int) -> float:
    """Minutes until trainings of `minutes` each have ended, with so many running at a time."""
    ends = [0.0] * max(1, places)
    for each in minutes:
        ends[ends.index(min(ends))] += each
    return max(ends)
