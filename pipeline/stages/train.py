"""Stage train@<recipe>: train one GAN and leave its model, curves, samples and facts."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor

from ganops.atomic import write_json
from ganops.data.conform import conform
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import PackedImages, read_packed
from ganops.errors import TrainingError
from ganops.games.build import build_game, recipe_spec
from ganops.games.saved import SavedModel, save_game
from ganops.params import Params, load_params
from ganops.progress import progress
from ganops.recipe import Recipe, find_recipe, load_recipe
from ganops.reporting.grids import save_png
from ganops.reporting.samples import draw_samples
from ganops.tracking.observer import RunObserver
from ganops.tracking.run import RunFile, resume_run, start_run
from ganops.tracking.tracked import TrackedRun
from ganops.training.checkpoint import forget
from ganops.training.hardware import choose_hardware, make_deterministic
from ganops.training.history import write_history
from ganops.training.interruption import watch_for_interruption
from ganops.training.lock import exclusive
from ganops.training.observer import Observer
from ganops.training.plan import make_plan
from ganops.training.processes import Processes, joined
from ganops.training.profiling import profiled
from ganops.training.randomness import seed_all
from ganops.training.summary import summarise
from ganops.training.trainer import Trainer
from pipeline.stages.entry import run_stage
from pipeline.stages.results import CHECKPOINTS, PARAMS, PREPARED, PROFILES, RECIPES, run_file, train_folder

RUN_FILE, SAMPLES = "run.json", "samples"


class StageObserver(RunObserver):
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
        _start_processes(params.train.processes, recipe)
    folder = CHECKPOINTS / recipe / checkpoint_key(params, rules, manifest)
    with joined() as processes:
        if processes.leads:
            _lead(recipe, params, rules, manifest, folder, processes)
        else:
            _train(recipe, params, rules, manifest, folder, processes, Observer())


def _lead(name: str, params: Params, recipe: Recipe, manifest: Manifest, folder: Path, processes: Processes) -> None:
    """Train, tell MLflow, and leave the outs; the checkpoints go when all of it is done."""
    with exclusive(folder):
        with _tracked(folder / RUN_FILE, name, params, recipe, manifest) as run:
            observer = StageObserver(run, folder / SAMPLES)
            trainer = _train(name, params, recipe, manifest, folder, processes, observer)
            _write_outs(name, trainer, SavedModel(name=name, recipe=recipe, spec=manifest.spec), folder)
            run.set_tags({"device": trainer.hardware.device_name, "precision": trainer.hardware.precision_name})
            # The whole history once more: rows that the run already has are passed over, missing ones are filled in.
            for row in trainer.history:
                observer.row(row)
            run.log_file(train_folder(name) / "training.json")
            run.log_file(train_folder(name) / "history.csv")
        RunFile(run_id=run.run_id, recipe=name).write(run_file(name))
        forget(folder)


def _start_processes(count: int, recipe: str) -> NoReturn:
    """Become torchrun, which starts this stage `count` times on this machine."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    os.execv(sys.executable, [sys.executable, *launcher, "-m", "pipeline.stages.train", recipe])  # noqa: S606


def checkpoint_key(params: Params, recipe: Recipe, manifest: Manifest) -> str:
    """Names a training by all that decides its result: only a checkpoint of the very same training is resumed."""
    settings = params.train.model_dump(mode="json", exclude={"checkpoint_seconds", "on_sick"})
    identity = [recipe.digest(), settings, params.seed, manifest.digest, torch.__version__]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _train(
    name: str,
    params: Params,
    recipe: Recipe,
    manifest: Manifest,
    folder: Path,
    processes: Processes,
    observer: Observer,
) -> Trainer:
    packed, spec = read_packed(PREPARED, "train"), recipe_spec(recipe, manifest.spec)
    data = PackedImages(conform(packed.images, spec.shape), packed.labels)
    seed_all(params.seed)
    game = build_game(recipe, spec, where=str(RECIPES / f"{name}.yaml"))
    plan = make_plan(recipe, params.train, next(iter(game.players)))
    hardware = choose_hardware(params.train, plan.rounds, data.images.dtype)
    if params.train.deterministic:
        make_deterministic(hardware.device)
    trainer = Trainer(game, recipe, data, params.train, plan, hardware, folder, params.seed, observer, processes)
    total = plan.rounds * plan.images_per_round
    profile = profiled(PROFILES / name) if params.train.debug == "profile" else nullcontext()
    shown = progress(f"train {name}", total, "images") if processes.leads else nullcontext()
    with watch_for_interruption() as interruption, shown as bar, profile:
        trainer.run(interruption, bar)
    return trainer


def _write_outs(name: str, trainer: Trainer, description: SavedModel, folder: Path) -> None:
    out = train_folder(name)
    spec = recipe_spec(description.recipe, description.spec)
    description = description.model_copy(update={"spec": spec})
    averaged = trainer.average.state() if trainer.recipe.ema is not None else None
    save_game(out / "model", trainer.game, description, averaged)
    shutil.copytree(folder / SAMPLES, out / SAMPLES, dirs_exist_ok=True)
    write_history(out / "history.csv", trainer.history)
    write_json(out / "training.json", summarise(trainer, name))


@contextmanager
def _tracked(file: Path, name: str, params: Params, recipe: Recipe, manifest: Manifest) -> Iterator[TrackedRun]:
    """The run of this training: a new one, or the one a killed training has begun."""
    if file.exists():
        with resume_run(file, params=params, recipe=recipe, manifest=manifest, system_metrics=True) as run:
            yield run
        return
    with start_run(name, params=params, recipe=recipe, manifest=manifest) as run:
        RunFile(run_id=run.run_id, recipe=name).write(file)
        yield run


if __name__ == "__main__":
    run_stage(main)
