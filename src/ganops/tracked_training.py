"""One training from its job to its results: resumed after a kill, tracked in MLflow, its model and curves on disk."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ganops.atomic import write_json
from ganops.data.fields.field import Schema
from ganops.data.fields.pictures import save_png
from ganops.data.manifest import Manifest
from ganops.data.packed import read_domains
from ganops.data.rows import Rows
from ganops.devices import find_device
from ganops.errors import TrackingError, TrainingError
from ganops.evaluation.held_out import task_rows
from ganops.evaluation.metric_groups import module_of_group
from ganops.evaluation.validation_metric import NoValidation, ValidationMetric, load_validation_metric
from ganops.games.game import Game
from ganops.games.saved import SavedModel, save_game
from ganops.params import Params
from ganops.progress import progress
from ganops.registry.init_model import InitModel
from ganops.tracking.callback import RunCallback
from ganops.tracking.replay import replay
from ganops.tracking.run import RunFile, read_run_file, resume_run, start_run
from ganops.tracking.tracked import TrackedRun
from ganops.training.callback import Callback
from ganops.training.checkpoint import forget
from ganops.training.distributed.process_group import ProcessGroup
from ganops.training.history import write_history
from ganops.training.interruption import watch_for_interruption
from ganops.training.job import TrainingJob
from ganops.training.lock import exclusive, forget_others
from ganops.training.profiling import profiled
from ganops.training.summary import summarise
from ganops.training.trainer import Trainer
from ganops.workspace import WORKSPACE

RUN_FILE, SAMPLES = "run.json", "samples"
FAILED = 1  # exit code of an error, in contrast to those of signals


class FileCallback(RunCallback):
    """Logs to MLflow, and writes each sample grid to a file as well."""

    def __init__(self, run: TrackedRun, schema: Schema, folder: Path) -> None:
        super().__init__(run, schema)
        self.folder = folder

    def on_resume(self, step: int) -> None:
        """Report that training resumes from a checkpoint."""
        print(f"training resumes from the checkpoint of step {step:,}", flush=True)
        super().on_resume(step)

    def on_samples(self, step: int, rows: Rows) -> None:
        """Write step-<step>.png and log it."""
        name, column = next(iter(rows.items()))
        picture = self.schema[name].draw(column)
        if picture is not None:
            save_png(picture, self.folder / f"step-{step:08d}.png")
        super().on_samples(step, rows)


@dataclass(frozen=True)
class Places:
    """Where one training keeps its checkpoints, and where it leaves its results and the id of its MLflow run."""

    checkpoints: Path
    trained: Path
    run_file: Path


def places_of(recipe: str) -> Places:
    """The places of the stage train@<recipe>."""
    return Places(WORKSPACE.checkpoints / recipe, WORKSPACE.trained(recipe), WORKSPACE.run_file(recipe))


@dataclass(frozen=True)
class Training:
    """A job with its first weights, what it is measured by, and where it leaves what."""

    job: TrainingJob
    params: Params
    manifest: Manifest
    places: Places
    start: InitModel | None
    game: Game
    validation: ValidationMetric | NoValidation

    @cached_property
    def folder(self) -> Path:
        """Of the checkpoints: every training has its own, so that only the very same training is resumed."""
        found = self.validation
        if isinstance(found, NoValidation):
            identity = self.job.identity()
        else:
            modules = (ValidationMetric.__module__, module_of_group(found.group.name))
            identity = self.job.identity(found.digest, modules)
        return self.places.checkpoints / identity

    def run(self, group: ProcessGroup, callback: Callback | None = None) -> Trainer:
        """Train to the end, or resume and do so."""
        job, settings = self.job, self.params.train
        validation = self.validation if isinstance(self.validation, ValidationMetric) else None
        trainer = job.build(
            read_domains(WORKSPACE.prepared, "train", job.data).values(),
            self.folder,
            game=self.game,
            callback=callback,
            group=group,
            validation=validation if group.is_main_process else None,
            held_out=task_rows(self.game.task, WORKSPACE.prepared, job.spec, settings.sample_images, "validation"),
        )
        total = trainer.plan.steps * trainer.plan.images_per_step
        profile = profiled(WORKSPACE.profiles / job.name) if settings.debug == "profile" else nullcontext()
        shown = progress(f"train {job.name}", total, "images") if group.is_main_process else nullcontext()
        with watch_for_interruption() as interruption, shown as bar, profile:
            trainer.run(interruption, bar)
        return trainer

    def facts_of_start(self) -> dict[str, str]:
        """The model that the training starts from; nothing where it starts from fresh weights."""
        return self.start.facts() if self.start else {}


def new_training(
    job: TrainingJob, params: Params, manifest: Manifest, places: Places, start: InitModel | None
) -> Training:
    """Draw the first weights and open the validation metric.

    start: the model that `job.start` is. Raises EvaluationError where the reference is missing or damaged.
    """
    game = job.new_game()
    return Training(job, params, manifest, places, start, game, open_validation(job, game))


def open_validation(job: TrainingJob, game: Game) -> ValidationMetric | NoValidation:
    """The metric that finds the best step."""
    if job.settings.debug != "off":
        return NoValidation(f"debug: {job.settings.debug}")
    return load_validation_metric(
        *(game, job.spec, WORKSPACE.reference, WORKSPACE.prepared),
        samples=job.settings.validation_samples,
        seed=job.default_seed,
        batch_size=job.recipe.batch_size,  # as in training, which needs more memory for each
        device=find_device(job.settings.device),
    )


def train(
    training: Training,
    group: ProcessGroup,
    *,
    make_callback: Callable[[TrackedRun, Schema, Path], FileCallback] = FileCallback,
    tags: Mapping[str, str] | None = None,
) -> Trainer | None:
    """Train, track, and leave the results; the checkpoints are removed when all of that is done.

    make_callback: of the run, the schema of samples and the folder for their grids. tags: of the run.
    Returns the trainer in the main process, None in the others, which only train.
    """
    if not group.is_main_process:
        _follow(training, group)
        return None
    folder, job, validation = training.folder, training.job, training.validation
    if isinstance(validation, NoValidation):
        print(f"train {job.name}: no validation metric ({validation.reason}); the last step is selected", flush=True)
    with exclusive(folder):
        with _tracked(folder / RUN_FILE, training) as run:
            callback = make_callback(run, training.game.task.outputs, folder / SAMPLES)
            run.set_tags({**(tags or {}), **{f"init.{key}": value for key, value in training.facts_of_start().items()}})
            try:
                trainer = training.run(group, callback)
            finally:
                callback.flush()
            _write_results(training, trainer)
            replay(run, training.places.trained)  # and so whatever the store has missed
        RunFile(run_id=run.run_id, recipe=job.name).write(training.places.run_file)
        forget(folder)
    forget_others(folder)
    return trainer


def _follow(training: Training, group: ProcessGroup) -> None:
    """Train on a worker; only the main process reports."""
    try:
        training.run(group)
    except TrainingError as error:
        if error.exit_code == FAILED:
            raise
        sys.exit(error.exit_code)  # all processes were stopped, and the main one says so


def _write_results(training: Training, trainer: Trainer) -> None:
    job, out = training.job, training.places.trained
    save_game(
        out / "model", trainer.game, SavedModel(name=job.name, recipe=job.recipe, spec=job.spec), trainer.weights()
    )
    if (training.folder / SAMPLES).is_dir():
        shutil.copytree(training.folder / SAMPLES, out / SAMPLES, dirs_exist_ok=True)
    write_history(out / "history.csv", trainer.history)
    start = training.facts_of_start()
    write_json(out / "training.json", summarise(trainer, job.name) | ({"init": start} if start else {}))
    if trainer.validation is not None:
        best, last = trainer.best, trainer.history[-1][trainer.validation.name]
        values = f"{best.value:.4g} at step {best.step:,}, the best, and {last:.4g} at the last"
        print(f"train {job.name}: {trainer.validation.name} {values}; the {trainer.selected} is selected", flush=True)


@contextmanager
def _tracked(file: Path, training: Training) -> Generator[TrackedRun]:
    """The MLflow run of this training: that of the killed training it resumes, or a new one."""
    about: dict[str, Any] = {"params": training.params, "recipe": training.job.recipe, "manifest": training.manifest}
    if file.exists():
        try:
            read_run_file(file)
        except TrackingError as error:
            print(f"{error}; a new run records this training", flush=True)
        else:
            with resume_run(file, **about, system_metrics=True) as run:
                yield run
            return
    with start_run(training.job.name, **about) as run:
        RunFile(run_id=run.run_id, recipe=training.job.name).write(file)
        yield run
