"""A training job: everything that decides a training's result, and the trainer that is built from it."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch

from ganops.code_digest import code_of, digest, modules_of_kinds
from ganops.data.fields.label_map import LabelMapField
from ganops.data.packed import subsample
from ganops.data.rows import Rows
from ganops.data.spec import SOURCE, DataSpec
from ganops.errors import GanopsError, TrainingError
from ganops.games.build import build_game, outline_game, recipe_spec
from ganops.games.game import Game
from ganops.games.sampling import HeldOut
from ganops.games.transfer import transfer
from ganops.malloc import disable_malloc_trim
from ganops.params import TrainParams
from ganops.recipe import Recipe
from ganops.training.batches import TrainingData
from ganops.training.best import Validation
from ganops.training.callback import Callback
from ganops.training.cpu.kernels import install_cpu_kernels
from ganops.training.distributed.batch_norm import norms_across_processes
from ganops.training.distributed.process_group import ProcessGroup
from ganops.training.graphs.captured_steps import capture_steps
from ganops.training.graphs.cpu_recorder import CpuRecorder
from ganops.training.graphs.cuda_recorder import CudaRecorder
from ganops.training.hardware import Hardware, choose_hardware, make_deterministic
from ganops.training.plan import make_plan
from ganops.training.randomness import seed_all
from ganops.training.trainer import Trainer

NO_INFLUENCE = {"checkpoint_seconds", "on_unhealthy"}  # train settings that may change before a training resumes


class StartingModel(Protocol):
    """The trained model that a training starts from."""

    @property
    def folder(self) -> Path: ...

    @property
    def digest(self) -> str: ...


@dataclass(frozen=True)
class TrainingJob:
    """One training.

    where: the recipe's file, for messages. settings: the section `train` of params.yaml. default_seed: that of
    params.yaml. data: what the prepared data are; data_digest: which ones. start: the model it starts from.
    """

    name: str
    recipe: Recipe
    settings: TrainParams
    default_seed: int
    data: DataSpec
    data_digest: str
    start: StartingModel | None = None
    where: str = "recipe"

    @property
    def seed(self) -> int:
        """The recipe's own, or that of params.yaml."""
        return self.default_seed if self.recipe.seed is None else self.recipe.seed

    @property
    def spec(self) -> DataSpec:
        """What the networks are built for: the data's fields in the recipe's form, and derived ones."""
        return recipe_spec(self.recipe, self.data)

    def identity(self, validation_digest: str | None = None, validation_modules: Iterable[str] = ()) -> str:
        """Digest of all that decides the result: only a checkpoint of the very same training is resumed.

        validation_digest: of what the validation metric compares with; validation_modules: those that define it.
        """
        pretrained = outline_game(self.recipe, self.spec, self.where).pretrained.values()
        facts = [
            self.recipe.digest(),
            self.settings.model_dump(mode="json", exclude=NO_INFLUENCE),
            *(self.seed, self.data_digest, self.start.digest if self.start else None, validation_digest),
            *(self.code_digest(validation_modules), torch.__version__, *(each.sha256 for each in pretrained)),
        ]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]

    def code_digest(self, more: Iterable[str] = ()) -> str:
        """Digest of the code that this training reaches, and of what the modules `more` reach."""
        recipe, data = (each.model_dump(mode="json") for each in (self.recipe, self.data))
        return digest(code_of([__name__, *modules_of_kinds(recipe), *modules_of_kinds(data), *more]))

    def problems(self, count: int) -> list[GanopsError]:
        """Everything known before the start that makes this training impossible. count: rows of the train split."""
        recipe, settings = self.recipe, self.settings
        found: list[GanopsError] = []

        def attempt(check: Callable[[], Any]) -> None:
            try:
                check()
            except GanopsError as error:
                found.append(error)

        for need in recipe.needs:
            attempt(partial(_has, need, self.data, self.name))
        attempt(lambda: _enough_images(recipe, count))
        attempt(lambda: ProcessGroup(0, settings.processes).micro_batches(recipe.micro_batches))
        attempt(lambda: _enough_gpus(settings))
        attempt(lambda: choose_hardware(settings, 1, self.data.fields))
        attempt(lambda: [each.sha256 for each in outline_game(recipe, self.spec, self.where).pretrained.values()])
        return found

    def check(self, count: int) -> None:
        """Raise one error that names all `problems`; nothing where there are none."""
        found = self.problems(count)
        if len(found) == 1:
            raise found[0]
        if found:
            raise TrainingError(
                f"the recipe '{self.name}' cannot be trained, for {len(found)} reasons",
                code="cannot-train",
                found="\n".join(error.describe() for error in found),
            )

    def new_game(self) -> Game:
        """The game with its first weights: drawn by the seed, or those of `start`."""
        seed_all(self.seed)
        game = build_game(self.recipe, self.spec, self.where)
        if self.start is not None:
            transfer(game, self.recipe, self.start.folder, self.where)
        return game

    def build(
        self,
        rows: Iterable[Rows],
        folder: Path,
        *,
        game: Game | None = None,
        callback: Callback | None = None,
        group: ProcessGroup | None = None,
        validation: Validation | None = None,
        held_out: HeldOut | None = None,
        hardware: Hardware | None = None,
    ) -> Trainer:
        """The trainer, with this process set up for it: threads, deterministic algorithms, faster kernels.

        rows: stored, of the train split; of unpaired data those of each domain. folder: of the checkpoints.
        game: what `new_game` gave, where the caller needed it. held_out: rows that sample inputs come from, for tasks
        that need some. hardware: None chooses.
        """
        recipe, settings = self.recipe, self.settings
        torch.set_num_threads(settings.threads)
        game = self.new_game() if game is None else game
        norms_across_processes(game, recipe)
        if recipe.images is not None:
            rows = [subsample(each, recipe.images, self.seed) for each in rows]
        plan = make_plan(recipe, settings, next(iter(game.players)), game.stages)
        hardware = hardware or choose_hardware(settings, plan.steps, self.data.fields)
        _set_up_process(settings, hardware)
        trainer = Trainer(
            *(game, recipe, TrainingData(tuple(rows), self.data.fields, self.spec), settings, plan, hardware),
            *(folder, self.seed, callback, group, validation, held_out),
        )
        if hardware.graphs and trainer.stepper.may_be_captured:
            capture_steps(trainer.stepper, CudaRecorder() if hardware.device.type == "cuda" else CpuRecorder())
        return trainer


def _set_up_process(settings: TrainParams, hardware: Hardware) -> None:
    """Global settings of torch and of the C library; kept out of Trainer, whose construction has no side effects."""
    if settings.deterministic:
        make_deterministic(hardware.device)
    if hardware.device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False  # `precision: float32` means float32
        # Optimisers that may be captured also step outside of a capture, which is fine.
        warnings.filterwarnings("ignore", message=".*constructed with capturable=True")
    elif settings.cpu_kernels == "auto":
        install_cpu_kernels()
        disable_malloc_trim()


def _has(need: str, data: DataSpec, recipe: str) -> None:
    """Raise TrainingError where the data lack what a recipe needs."""
    there, missing, action = {
        "labels": (
            bool(data.classes),
            "classes, and the prepared data have none",
            "put the images of each class into a folder of its own, or take a recipe without classes",
        ),
        "pairs": (
            SOURCE in data.fields,
            "pairs of source and image, and the prepared data have none",
            "give two folders A and B of images with the same names (docs/data.md)",
        ),
        "label-maps": (
            isinstance(data.fields.get(SOURCE), LabelMapField),
            "label maps as sources of pairs, and the prepared data have none",
            "give a folder A of label maps with a labels.yaml, and a folder B of photos (docs/data.md)",
        ),
        "domains": (
            not data.paired,
            "two domains without pairs, and the prepared data are one data set",
            "give two folders A and B of images with other names, or set data.source: domains",
        ),
    }[need]
    if not there:
        raise TrainingError(f"the recipe '{recipe}' needs {missing}", code=f"needs-{need}", action=action)


def _enough_images(recipe: Recipe, count: int) -> None:
    if recipe.images is not None and recipe.images > count:
        raise TrainingError(
            "there are fewer training images than the recipe asks for",
            code="too-few-images",
            expected=f"at least {recipe.images:,} (images in the recipe)",
            found=f"{count:,}",
            action="set images in the recipe lower, or to null for all",
        )


def _enough_gpus(settings: TrainParams) -> None:
    gpus = torch.cuda.device_count()
    if settings.device != "cpu" and 0 < gpus < settings.processes:
        raise TrainingError(
            "there are fewer GPUs than processes on this machine",
            code="too-few-gpus",
            expected=f"{settings.processes}, one for each process (train.processes)",
            found=str(gpus),
            action=f"set train.processes: {gpus}, or train.device: cpu",
        )
