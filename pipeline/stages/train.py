"""Stage train@<recipe>: train one model and leave its weights, curves, samples and facts."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ganops.atomic import write_json
from ganops.data.fields.field import Schema
from ganops.data.fields.pictures import save_png
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import read_domains
from ganops.data.rows import Rows
from ganops.devices import find_device
from ganops.errors import TrainingError
from ganops.evaluation.held_out import task_rows
from ganops.evaluation.metric_groups import module_of_group
from ganops.evaluation.validation_metric import NoValidation, ValidationMetric, load_validation_metric
from ganops.games.game import Game
from ganops.games.saved import SavedModel, save_game
from ganops.params import Params, load_params
from ganops.progress import progress
from ganops.recipe import find_recipe, load_recipe
from ganops.registry.init_model import InitModel, find_init_model
from ganops.tracking.callback import RunCallback
from ganops.tracking.replay import replay
from ganops.tracking.run import RunFile, resume_run, start_run
from ganops.tracking.tracked import TrackedRun
from ganops.training.callback import Callback
from ganops.training.checkpoint import forget
from ganops.training.distributed.join import join, started_by_torchrun
from ganops.training.distributed.process_group import ProcessGroup
from ganops.training.history import write_history
from ganops.training.interruption import watch_for_interruption
from ganops.training.job import TrainingJob
from ganops.training.lock import exclusive, forget_others
from ganops.training.profiling import profiled
from ganops.training.summary import summarise
from ganops.training.trainer import Trainer
from ganops.workspace import WORKSPACE
from pipeline.stages.entry import FAILED, run_stage
from pipeline.stages.torchrun import run_as_processes

RUN_FILE, SAMPLES = "run.json", "samples"


class StageCallback(RunCallback):
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
class Training:
    """One run of this stage: the job, its first weights, and what it is measured by."""

    job: TrainingJob
    params: Params
    manifest: Manifest
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
        return WORKSPACE.checkpoints / self.job.name / identity

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


def main(recipe: str) -> None:
    """Train `recipe`, or resume a killed training of the same recipe, code, settings and data."""
    params, file = load_params(WORKSPACE.params), find_recipe(recipe, WORKSPACE.recipes)
    rules, manifest = load_recipe(file), read_manifest(WORKSPACE.prepared)
    start = find_init_model(rules.init.model) if rules.init else None
    job = TrainingJob(recipe, rules, params.train, params.seed, manifest.spec, manifest.digest, start, str(file))
    job.check(manifest.counts["train"])
    if params.train.processes > 1 and not started_by_torchrun():
        run_as_processes(params.train.processes, "pipeline.stages.train", recipe)
        return
    with join(params.train.device) as group:
        game = job.new_game()
        training = Training(job, params, manifest, start, game, _validation(job, game))
        if group.is_main_process:
            _lead(training, group)
        else:
            _follow(training, group)


def _validation(job: TrainingJob, game: Game) -> ValidationMetric | NoValidation:
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


def _lead(training: Training, group: ProcessGroup) -> None:
    """Train, track, and leave the outs; the checkpoints are removed when all of that is done."""
    folder, job, out = training.folder, training.job, WORKSPACE.trained(training.job.name)
    validation = training.validation
    if isinstance(validation, NoValidation):
        print(f"train {job.name}: no validation metric ({validation.reason}); the last step is selected", flush=True)
    with exclusive(folder):
        with _tracked(folder / RUN_FILE, training) as run:
            callback = StageCallback(run, training.game.task.outputs, folder / SAMPLES)
            run.set_tags({f"init.{key}": value for key, value in training.facts_of_start().items()})
            try:
                trainer = training.run(group, callback)
            finally:
                callback.flush()
            _write_outs(training, trainer, out)
            replay(run, out)  # and so whatever the store has missed
        RunFile(run_id=run.run_id, recipe=job.name).write(WORKSPACE.run_file(job.name))
        forget(folder)
    forget_others(folder)


def _follow(training: Training, group: ProcessGroup) -> None:
    """Train on a worker; only the main process reports."""
    try:
        training.run(group)
    except TrainingError as error:
        if error.exit_code == FAILED:
            raise
        sys.exit(error.exit_code)  # all processes were stopped, and the main one says so


def _write_outs(training: Training, trainer: Trainer, out: Path) -> None:
    job = training.job
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
def _tracked(file: Path, training: Training) -> Iterator[TrackedRun]:
    """The MLflow run of this training: a new one, or that of the killed training it resumes."""
    about: dict[str, Any] = {"params": training.params, "recipe": training.job.recipe, "manifest": training.manifest}
    if file.exists():
        with resume_run(file, **about, system_metrics=True) as run:
            yield run
        return
    with start_run(training.job.name, **about) as run:
        RunFile(run_id=run.run_id, recipe=training.job.name).write(file)
        yield run


if __name__ == "__main__":
    run_stage(main)
