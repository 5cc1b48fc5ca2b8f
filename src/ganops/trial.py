"""How long a training will take, measured by taking a few of its steps."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import psutil
import torch

from ganops.data.fields.label_map import LabelMapField
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import read_domains
from ganops.data.rows import Rows
from ganops.evaluation.baselines import baselines_of
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.extractors.segmenter import SegmenterSettings, train_segmenter
from ganops.evaluation.held_out import held_out, sample_count, task_rows
from ganops.evaluation.metric import scored_field
from ganops.evaluation.metric_groups import chosen_groups
from ganops.evaluation.metrics.segmentation import columns_read
from ganops.evaluation.validation_metric import MOST_SAMPLES
from ganops.games.sampling import sample_outputs
from ganops.games.task import Task
from ganops.params import EvaluateParams
from ganops.training.job import TrainingJob
from ganops.training.trainer import Trainer

WARM, TIMED = 2, 16  # steps; the least common multiple of the intervals of lazy terms in shipped recipes
ROWS = 4096  # of the data that the trial reads
LIMIT_SECONDS = 20.0
SAMPLES = 64
SITTING = 30.0  # minutes that one may wait for a first look
SHARES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
STARTS = 6  # of processes, one after the other: reference, train, evaluate, compare, register, promote


@dataclass(frozen=True)
class Estimate:
    """Minutes on this machine.

    training: of a recipe's steps. scoring: of its validations and scores. reference: of the real images, and of what
    reads outputs, once for all.
    """

    training: float
    scoring: float
    reference: float


def estimate(job: TrainingJob, prepared: Path, evaluate: EvaluateParams) -> Estimate:
    """What a training and its scores take, by some steps and samples; `minutes_of_starts` comes on top.

    Changes settings of torch and of the C library for this process, as a training does.
    """
    rows = [each.select(slice(0, ROWS)) for each in read_domains(prepared, "train", job.data).values()]
    inputs = held_out(prepared, job.spec, "validation")
    with tempfile.TemporaryDirectory() as folder:
        trainer = job.build(rows, Path(folder), held_out=inputs)
        step = seconds_of_step(trainer)
        start = time.monotonic()
        outputs = sample_outputs(trainer.game, SAMPLES, job.seed, held_out=inputs)
        made = (time.monotonic() - start) / SAMPLES
        seen = _seconds_of_features(trainer, job, evaluate, outputs)
    most = MOST_SAMPLES.get(evaluate.features, min(MOST_SAMPLES.values()))
    validated = len(trainer.plan.validate_at) * min(job.settings.validation_samples, most)
    scoring = validated * (made + seen)
    for task in trainer.game.tasks.values():
        scored = sample_count(task, evaluate.samples, task_rows(task, prepared, job.spec, evaluate.samples))
        # `perceptual` sees each output and its truth once more, and baselines are scored as the model is.
        passes = 3 if task.paired and "perceptual" in evaluate.metrics else 1
        scoring += scored * (made + passes * seen * (1 + len(baselines_of(task))))
    real = _real_images(read_manifest(prepared), evaluate) * seen
    real += sum(_seconds_of_reader(task, rows[0], job, evaluate) for task in trainer.game.tasks.values())
    return Estimate(trainer.plan.steps * step / 60, scoring / 60, real / 60)


def _seconds_of_features(trainer: Trainer, job: TrainingJob, evaluate: EvaluateParams, outputs: Rows) -> float:
    """Seconds for each image; next to nothing for the data's own classifier, which is not there yet."""
    scored = scored_field(trainer.game.task, job.spec)
    if evaluate.features == "classifier" or scored is None:
        return 0.0
    extractor = load_extractor(evaluate, None, trainer.hardware.device)
    extractor(outputs[scored][:1])  # the first call sets up the network
    start = time.monotonic()
    extractor(outputs[scored])
    return (time.monotonic() - start) / SAMPLES


def _seconds_of_reader(task: Task, rows: Rows, job: TrainingJob, evaluate: EvaluateParams) -> float:
    """Seconds that a segmenter takes to learn to read outputs, by a few of its steps; 0 where none is needed."""
    group, settings = chosen_groups(evaluate).get("segmentation", (None, None))
    columns = columns_read(task)
    if (
        group is None
        or not isinstance(settings, SegmenterSettings)
        or columns is None
        or not group.applies(task, job.data)
    ):
        return 0.0
    labels, image = columns
    few = settings.model_copy(update={"kimg": SAMPLES / 1000})
    classes = job.data.field(labels, LabelMapField).channels
    start = time.monotonic()
    train_segmenter(rows, image, labels, classes, few, 0, torch.device("cpu"), lambda _: None)
    return (time.monotonic() - start) * settings.kimg / few.kimg


def _real_images(manifest: Manifest, evaluate: EvaluateParams) -> int:
    """How many real images get features: of both splits, and of the test once more, as if a model had made them."""
    found = 0
    for counts in manifest.domain_counts.values() or [manifest.counts]:
        found += sum(min(count, evaluate.real_samples or count) for count in counts.values())
        found += min(counts["test"], evaluate.samples)
    return found


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


def minutes_of_all(estimates: Sequence[Estimate], places: int, share: float = 1.0) -> float:
    """Minutes of all recipes, so many at a time, with a share of their budgets."""
    recipes = [share * each.training + each.scoring for each in estimates]
    return max(each.reference for each in estimates) + together(recipes, places)


def first_look(estimates: Sequence[Estimate], places: int) -> float:
    """The largest share of the budgets with which everything ends within half an hour; a hundredth at the least."""
    shares = (share for share in SHARES if minutes_of_all(estimates, places, share) <= SITTING)
    return next(shares, SHARES[-1])


def together(minutes: Sequence[float], places: int) -> float:
    """Minutes until trainings of `minutes` each have ended, with so many running at a time."""
    ends = [0.0] * max(1, places)
    for each in minutes:
        ends[ends.index(min(ends))] += each
    return max(ends)
