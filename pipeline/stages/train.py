"""Stage train@<recipe>: train one GAN and leave its model, curves, samples and facts."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganops.atomic import write_json
from ganops.data.convert import convert
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import PackedImages, read_packed
from ganops.errors import TrainingError
from ganops.evaluation.validation_metric import ValidationMetric
from ganops.evaluation.validation_reference import classifier_of, read_validation
from ganops.games.build import build_game, recipe_spec
from ganops.games.saved import SavedModel, save_game
from ganops.games.transfer import transfer
from ganops.params import Params, load_params
from ganops.progress import progress
from ganops.recipe import Recipe, find_recipe, load_recipe
from ganops.registry.init_model import InitModel, find_init_model
from ganops.reporting.grids import save_png
from ganops.reporting.samples import draw_samples
from ganops.tracking.callback import RunCallback
from ganops.tracking.run import RunFile, resume_run, start_run
from ganops.tracking.tracked import TrackedRun
from ganops.training.callback import Callback
from ganops.training.checkpoint import forget
from ganops.training.distributed.process_group import Processes, joined
from ganops.training.hardware import choose_hardware, make_deterministic
from ganops.training.history import write_history
from ganops.training.interruption import watch_for_interruption
from ganops.training.lock import exclusive
from ganops.training.plan import make_plan
from ganops.training.profiling import profiled
from ganops.training.randomness import seed_all
from ganops.training.summary import summarise
from ganops.training.trainer import Trainer
from pipeline.stages.entry import FAILED, run_stage
from pipeline.stages.results import CHECKPOINTS, PARAMS, PREPARED, PROFILES, RECIPES, REFERENCE, run_file, train_folder
from pipeline.stages.torchrun import run_as_processes

RUN_FILE, SAMPLES = "run.json", "samples"


class StageCallback(RunCallback):
    """What MLflow is told, and each sample grid as a file besides."""

    def __init__(self, run: TrackedRun, folder: Path) -> None:
        super().__init__(run)
        self.folder = folder

    def resumed(self, step: int) -> None:
        """Say so: an interrupted training, or a sick one, does not begin at nothing."""
        print(f"training goes on from the checkpoint of round {step:,}", flush=True)
        super().resumed(step)

    def samples(self, step: int, images: Tensor) -> None:
        """Write step-<step>.png and log the grid."""
        save_png(draw_samples(images), self.folder / f"step-{step:08d}.png")
        super().samples(step, images)


@dataclass(frozen=True)
class Task:
    """One training: all that decides its result.

    origin: the trained model it starts from. classifier: sha256 of the weights that validation metrics are measured with.
    """

    name: str
    params: Params
    recipe: Recipe
    manifest: Manifest
    origin: InitModel | None = None
    classifier: str | None = None

    @property
    def seed(self) -> int:
        """The recipe's own, or that of params.yaml."""
        return self.params.seed if self.recipe.seed is None else self.recipe.seed

    @property
    def file(self) -> Path:
        """The recipe's file."""
        return RECIPES / f"{self.name}.yaml"

    @property
    def checkpoints(self) -> Path:
        """A folder of its own for every task: only a checkpoint of the very same training is resumed."""
        settings = self.params.train.model_dump(mode="json", exclude={"checkpoint_seconds", "on_unhealthy"})
        start = self.origin.digest if self.origin else None
        identity = [self.recipe.digest(), settings, self.seed, self.manifest.digest, start, self.classifier]
        digest = hashlib.sha256(json.dumps([*identity, torch.__version__], sort_keys=True).encode()).hexdigest()
        return CHECKPOINTS / self.name / digest[:16]


def main(recipe: str) -> None:
    """Train `recipe`, or go on where a killed training of the same recipe, settings and data was."""
    params, file = load_params(PARAMS), find_recipe(recipe, RECIPES)
    rules, manifest = load_recipe(file), read_manifest(PREPARED)
    if "labels" in rules.needs and not manifest.spec.classes:
        raise TrainingError(
            f"the recipe '{recipe}' needs classes, and the prepared data have none",
            action="put the images of each class into a folder of its own, or take a recipe without classes",
        )
    if params.train.processes > 1 and "WORLD_SIZE" not in os.environ:
        run_as_processes(params.train.processes, "pipeline.stages.train", recipe)
        return
    origin = find_init_model(rules.init.model) if rules.init else None
    classifier = classifier_of(REFERENCE) if params.train.debug == "off" else None
    task = Task(recipe, params, rules, manifest, origin, classifier)
    with joined(params.train.device) as processes:
        if processes.is_main_process:
            _lead(task, processes)
        else:
            _follow(task, processes)


def _lead(task: Task, processes: Processes) -> None:
    """Train, tell MLflow, and leave the outs; the checkpoints go when all of it is done."""
    folder, out = task.checkpoints, train_folder(task.name)
    with exclusive(folder):
        with _tracked(folder / RUN_FILE, task) as run:
            observer = StageCallback(run, folder / SAMPLES)
            run.set_tags({f"init.{key}": value for key, value in _start(task).items()})
            try:
                trainer = _train(task, processes, observer, _scorer(task))
            finally:
                observer.flush()
            _write_outs(task, trainer)
            hardware = trainer.hardware
            made = {"device": hardware.device_name, "precision": hardware.precision_name}
            run.set_tags(made | {"selected": trainer.selected})
            # The whole history once more: rows that the run already has are passed over, missing ones are filled in.
            for row in trainer.history:
                observer.row(row)
            observer.flush()
            run.log_file(out / "training.json")
            run.log_file(out / "history.csv")
        RunFile(run_id=run.run_id, recipe=task.name).write(run_file(task.name))
        forget(folder)


def _follow(task: Task, processes: Processes) -> None:
    """Train, and leave the telling to the process that leads."""
    try:
        _train(task, processes, Callback())
    except TrainingError as error:
        if error.exit_code == FAILED:
            raise
        sys.exit(error.exit_code)  # all were told to stop, and the one that leads says so


def _scorer(task: Task) -> ValidationMetric | None:
    """What finds the best step; None, with a word on it, where there is no classifier to score with."""
    settings = task.params.train
    if task.classifier is None:
        reason = f"{REFERENCE} has no classifier" if settings.debug == "off" else f"debug: {settings.debug}"
        print(f"no validation metrics ({reason}): the last step is selected", flush=True)
        return None
    found, real = read_validation(REFERENCE, "cuda" if torch.cuda.is_available() else "cpu")
    # As many images at once as a batch has: training, which needs more memory for each, has room for them.
    return ValidationMetric(found, real, settings.validation_samples, task.params.seed, task.recipe.batch_size)


def _train(task: Task, processes: Processes, observer: Callback, scorer: ValidationMetric | None = None) -> Trainer:
    recipe, settings = task.recipe, task.params.train
    packed, spec = read_packed(PREPARED, "train"), recipe_spec(recipe, task.manifest.spec)
    if recipe.images is not None:
        packed = packed.some(recipe.images, task.seed)
    data = PackedImages(convert(packed.images, spec.shape), packed.labels)
    torch.set_num_threads(settings.threads)
    seed_all(task.seed)
    game = build_game(recipe, spec, str(task.file))
    if task.origin is not None:
        transfer(game, recipe, task.origin.folder, str(task.file))
    plan = make_plan(recipe, settings, next(iter(game.players)))
    hardware = choose_hardware(settings, plan.steps, data.images.dtype)
    if settings.deterministic:
        make_deterministic(hardware.device)
    trainer = Trainer(
        game, recipe, data, settings, plan, hardware, task.checkpoints, task.seed, observer, processes, scorer
    )
    total = plan.steps * plan.images_per_step
    profile = profiled(PROFILES / task.name) if settings.debug == "profile" else nullcontext()
    shown = progress(f"train {task.name}", total, "images") if processes.is_main_process else nullcontext()
    with watch_for_interruption() as interruption, shown as bar, profile:
        trainer.run(interruption, bar)
    return trainer


def _write_outs(task: Task, trainer: Trainer) -> None:
    out, spec = train_folder(task.name), recipe_spec(task.recipe, task.manifest.spec)
    description = SavedModel(name=task.name, recipe=task.recipe, spec=spec)
    save_game(out / "model", trainer.game, description, trainer.weights())
    shutil.copytree(task.checkpoints / SAMPLES, out / SAMPLES, dirs_exist_ok=True)
    write_history(out / "history.csv", trainer.history)
    start = _start(task)
    write_json(out / "training.json", summarise(trainer, task.name) | ({"init": start} if start else {}))
    if trainer.scorer is not None:
        best, last = trainer.best, trainer.history[-1][trainer.scorer.name]
        scores = f"{best.score:.4g} at step {best.step:,}, the best, and {last:.4g} at the last"
        print(f"train {task.name}: {trainer.scorer.name} {scores}; the {trainer.selected} is selected", flush=True)


def _start(task: Task) -> dict[str, str]:
    """What goes on record of the model that the training starts from; nothing where it starts from fresh weights."""
    return task.origin.facts() if task.origin else {}


@contextmanager
def _tracked(file: Path, task: Task) -> Iterator[TrackedRun]:
    """The run of this training: a new one, or the one a killed training has begun."""
    params, recipe, manifest = task.params, task.recipe, task.manifest
    if file.exists():
        with resume_run(file, params=params, recipe=recipe, manifest=manifest, system_metrics=True) as run:
            yield run
        return
    with start_run(task.name, params=params, recipe=recipe, manifest=manifest) as run:
        RunFile(run_id=run.run_id, recipe=task.name).write(file)
        yield run


if __name__ == "__main__":
    run_stage(main)
