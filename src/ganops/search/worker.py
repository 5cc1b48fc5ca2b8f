"""`python -m ganops.search.worker FOLDER`: train what the folder of a trial asks for, in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import time
from pathlib import Path
from typing import NoReturn

from ganops.data.fields.field import Schema
from ganops.data.manifest import Manifest, read_manifest
from ganops.devices import find_device
from ganops.errors import GanopsError, TrainingError
from ganops.evaluation.evaluate import evaluate_game
from ganops.games.saved import load_description, load_game
from ganops.params import Params
from ganops.recipe import Recipe
from ganops.registry.init_model import find_init_model
from ganops.search.budget import affordable_kimg, with_budget
from ganops.search.order import final_protocol
from ganops.search.trial_folder import Assignment, Outcome, Report, TrialFolder
from ganops.termination import TERMINATED, end_on_sigterm
from ganops.tracked_training import FileCallback, new_training, train
from ganops.tracking.location import redact
from ganops.tracking.run import resume_run
from ganops.tracking.tracked import TrackedRun
from ganops.training.distributed.process_group import ProcessGroup
from ganops.training.history import Row
from ganops.training.job import TrainingJob
from ganops.training.trainer import Trainer
from ganops.workspace import WORKSPACE

VALIDATION = "val/"  # how the curve of the validation metric begins


class Starter:
    """The process that started this one, as its child or through a server that forks."""

    def __init__(self) -> None:
        self._process, self._pid = multiprocessing.parent_process(), os.getppid()

    @property
    def is_gone(self) -> bool:
        """Whether it has ended."""
        return os.getppid() != self._pid or (self._process is not None and not self._process.is_alive())


class TrialCallback(FileCallback):
    """Reports each validation to the search, and ends the training when the search asks for that or is gone.

    pace: images per second between the first and the last row of this process; None before the second.
    """

    def __init__(self, run: TrackedRun, schema: Schema, folder: Path, trial: TrialFolder) -> None:
        super().__init__(run, schema, folder)
        self.trial, self.starter = trial, Starter()
        self.pace: float | None = None
        self._first: tuple[float, float] | None = None

    def on_log(self, row: Row) -> None:
        """Report the row's validation, where it has one."""
        super().on_log(row)
        now, kimg = time.monotonic(), row["kimg"]
        began, first = self._first = self._first or (now, kimg)
        self.pace = 1000 * (kimg - first) / (now - began) if now > began else None
        for name, value in row.items():
            if name.startswith(VALIDATION):
                self.trial.report(Report(step=int(row["step"]), kimg=kimg, value=value))
        if self.trial.is_pruned:
            self.run.set_tags({"trial.state": "pruned"})
            raise TrainingError("the search has pruned this trial", code="pruned", exit_code=TERMINATED)
        if self.starter.is_gone:
            raise TrainingError("the search has ended", code="interrupted", exit_code=TERMINATED)


def main(folder: str) -> None:
    """Train, or resume, and write down how it ended."""
    trial = TrialFolder(Path(folder))
    assignment, manifest = trial.assignment(), read_manifest(WORKSPACE.prepared)
    if assignment.seconds is not None:
        assignment = _with_known_budget(assignment, assignment.seconds, manifest)
        trial.assign(assignment)
    outcome = _train(assignment, manifest, trial)
    if assignment.scored and outcome.state == "complete":
        _score(assignment, trial, manifest)
    if not assignment.scored:
        shutil.rmtree(trial.path / "model", ignore_errors=True)  # it can be made again, bit for bit
    shutil.rmtree(trial.places.checkpoints, ignore_errors=True)
    trial.end(outcome)


def make_job(name: str, recipe: Recipe, params: Params, manifest: Manifest) -> TrainingJob:
    """The training of a recipe that is not in a file."""
    start = find_init_model(recipe.init.model) if recipe.init else None
    return TrainingJob(name, recipe, params.train, params.seed, manifest.spec, manifest.digest, start, name)


def _with_known_budget(assignment: Assignment, seconds: float, manifest: Manifest) -> Assignment:
    """The recipe with as many images as this machine shows in the time; from then on they are fixed."""
    job = make_job(assignment.name, assignment.recipe, assignment.params, manifest)
    kimg = affordable_kimg(job, seconds, assignment.validations)
    recipe = with_budget(assignment.recipe, kimg, assignment.validations, assignment.params.train.budget_scale)
    return assignment.model_copy(update={"recipe": recipe, "seconds": None})


def _train(assignment: Assignment, manifest: Manifest, trial: TrialFolder) -> Outcome:
    """Train to the end, or until it is pruned or hopelessly unhealthy."""
    job = make_job(assignment.name, assignment.recipe, assignment.params, manifest)
    job.check(manifest.counts["train"])
    start = find_init_model(assignment.recipe.init.model) if assignment.recipe.init else None
    training = new_training(job, assignment.params, manifest, trial.places, start)
    callbacks = list[TrialCallback]()

    def make_callback(run: TrackedRun, schema: Schema, folder: Path) -> TrialCallback:
        callbacks.append(TrialCallback(run, schema, folder, trial))
        return callbacks[-1]

    try:
        trainer = train(training, ProcessGroup(), make_callback=make_callback, tags=assignment.tags)
    except TrainingError as error:
        if error.code not in ("pruned", "unhealthy"):
            raise
        return _ended_early(error, trial, callbacks[0].pace)
    assert trainer is not None
    return _ended(trainer, load_description(trial.path / "model").weights)


def _score(assignment: Assignment, trial: TrialFolder, manifest: Manifest) -> None:
    """Full scores by the metric that compares recipes, as the stage `evaluate` measures them, into file and run."""
    params, model = assignment.params, trial.path / "model"
    game, spec = load_game(model), load_description(model).spec
    found = evaluate_game(
        *(game, WORKSPACE.reference, WORKSPACE.prepared, final_protocol(params), params.seed, find_device()),
        label=assignment.name,
        spec=spec,
    )
    found.scores.write(trial.path / "scores.json")
    with resume_run(trial.places.run_file, params=params, recipe=assignment.recipe, manifest=manifest) as run:
        run.log_scores(found.scores)


def _ended(trainer: Trainer, weights: dict[str, str]) -> Outcome:
    unhealthy, shown = sorted(trainer.health.active), trainer.step * trainer.plan.images_per_step
    assert trainer.validation is not None
    return Outcome(
        state="unhealthy" if unhealthy else "complete",
        value=trainer.best.value if trainer.selected == "best" else trainer.history[-1][trainer.validation.name],
        reason=", ".join(unhealthy),
        kimg=shown / 1000,
        images_per_second=shown / trainer.seconds,
        weights=dict(sorted(weights.items())),
    )


def _ended_early(error: TrainingError, trial: TrialFolder, pace: float | None) -> Outcome:
    last = next(iter(trial.reports()[-1:]), None)
    return Outcome(
        state="pruned" if error.code == "pruned" else "unhealthy",
        value=None if last is None else last.value,
        reason=error.found if error.code == "unhealthy" else "",
        kimg=0.0 if last is None else last.kimg,
        images_per_second=pace,
    )


def run(folder: str) -> NoReturn:
    """Do the work of this process and end it, with the exit codes of a stage; a GanopsError is printed in short."""
    end_on_sigterm()
    try:
        main(folder)
    except GanopsError as error:
        print(redact(f"error: {error}"), file=sys.stderr, flush=True)
        sys.exit(error.exit_code)
    sys.exit(0)


if __name__ == "__main__":
    run(*sys.argv[1:])
