"""The leaderboard of the zoo: every recipe that fits the data, the same processor time, one protocol.

python -m benchmarks.zoo --title mnist [--prepared data/prepared] [--reference results/reference] [--minutes 1.25]
    [--recipes NAME ...] [--seeds 0 1 2] [--samples 5000] [--results FOLDER] [--pictures FOLDER] [--quick] [--json FILE]
    [--own-budget] [--precision bfloat16]

--minutes is the processor time of one thread that each training gets, without validation. A trial of some seconds shows
how many images that is, so that schedules end with it: recipes that cost more per image see fewer images. The recipes
are as shipped but for that budget. Settings of the protocol that the reference was made with are the reference's.

--own-budget trains each recipe for its own budget instead, and reports how long that took and the health at the end.

A finished training leaves its result and its pictures in FOLDER/<title>: run again with the same settings, the script
does the missing trainings and reports all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, get_args

import torch

from benchmarks.rows import report
from benchmarks.trainers import make_trainer
from benchmarks.zoo_pictures import COLUMNS, draw_contest
from benchmarks.zoo_table import BASELINE, line, rows_of, table
from ganops.atomic import write_json
from ganops.data.fields.pictures import image_grid, save_png
from ganops.data.manifest import Manifest, read_manifest
from ganops.data.packed import read_packed
from ganops.data.rows import Rows
from ganops.evaluation.evaluate import evaluate_game
from ganops.evaluation.held_out import held_out, task_rows
from ganops.evaluation.latent_interpolation import latent_interpolations
from ganops.evaluation.metric_names import base_of
from ganops.evaluation.reference import load_reference
from ganops.evaluation.validation_metric import ValidationMetric, load_validation_metric
from ganops.games.build import build_game, recipe_spec
from ganops.games.game import Game
from ganops.params import EvaluateParams, Precision, TrainParams
from ganops.progress import progress
from ganops.recipe import Recipe, load_recipe
from ganops.reporting.figures import draw_figures
from ganops.training.best import Direction, Validation
from ganops.training.interruption import Interruption
from ganops.training.trainer import Trainer

RECIPES = Path(__file__).resolve().parent.parent / "pipeline" / "recipes"
# Those that learn something in little time come first: a call that is cut short has them.
ORDER = (
    *(BASELINE, "infogan", "cgan", "acgan", "bigan", "ali", "wgan-gp", "mlp", "fastgan", "lsgan", "projection-cgan"),
    *("wgan", "dragan", "mlp-keras", "pacgan", "unrolled", "sngan", "biggan", "sagan"),
    *("stylegan2", "stylegan2-ada", "r3gan", "vae", "vae-mixture"),
)
_TRANSLATIONS = {
    "made for pairs": ("pix2pix", "pix2pix-l1", "pix2pixhd", "map2photo", "spade"),
    "made for two domains": ("cyclegan", "cut", "fastcut", "discogan", "cycada", "style"),
    "its task is another one": (
        *("denoise", "denoise-l1", "colourise", "deblur", "inpaint", "edges2photo", "stargan"),
        *("srgan", "esrgan", "real-esrgan"),
    ),
}
LEFT_OUT = {
    "transfer": "starts from a trained model, whose time is not counted",
    "points": "made for points",
    "pacgan-stacked": "`pacgan` at the full length and width for stacked MNIST",
    **{recipe: reason for reason, recipes in _TRANSLATIONS.items() for recipe in recipes},
}
METRICS: dict[str, dict[str, Any]] = {"fid": {}, "kid": {}, "prdc": {}, "label-accuracy": {}}
VALIDATIONS, VALIDATION_SAMPLES = 4, 2000
TRIAL_SECONDS, TRIAL_STEPS = 3.0, 17  # as many steps as contain a penalty of every 16th


@dataclass(frozen=True)
class Contest:
    """What all trainings have in common: real data and their folders, time in processor seconds, protocol.

    seconds: None where each recipe has its own budget.
    """

    prepared: Path
    reference: Path
    seconds: float | None
    precision: Precision
    protocol: EvaluateParams
    rows: Rows
    manifest: Manifest

    def identity(self, recipe: Recipe, seed: int) -> str:
        """sha256 of what decides one result; a result with another identity is not reused."""
        facts = [recipe.digest(), seed, self.seconds, self.protocol.model_dump(mode="json"), self.manifest.digest]
        facts += [] if self.precision == "auto" else [self.precision]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


class Timed:
    """A validation metric that counts the processor time it takes, which is not part of the training's."""

    def __init__(self, metric: ValidationMetric) -> None:
        self._metric, self.seconds = metric, 0.0

    @property
    def name(self) -> str:
        """Of the metric's curve."""
        return self._metric.name

    @property
    def better(self) -> Direction:
        """Which values are better."""
        return self._metric.better

    def __call__(self, game: Game) -> float:
        """The metric of the networks as they are."""
        began = time.process_time()
        try:
            return self._metric(game)
        finally:
            self.seconds += time.process_time() - began


def trainer_of(
    contest: Contest, recipe: Recipe, seed: int, folder: Path, validation: Validation | None = None
) -> Trainer:
    """The trainer of the train stage, on one thread, for the budget that the recipe has."""
    settings = TrainParams(
        compile="never",
        precision=contest.precision,
        validate_kimg=recipe.budget_kimg / VALIDATIONS,
        sample_times=1,
    )
    return make_trainer(recipe, contest.rows, contest.manifest.spec, settings, folder, seed=seed, validation=validation)


def validation_of(contest: Contest, recipe: Recipe, seed: int) -> Timed:
    """What finds the best step of a training."""
    spec = recipe_spec(recipe, contest.manifest.spec)
    metric = load_validation_metric(
        *(build_game(recipe, spec), spec, contest.reference, contest.prepared),
        samples=min(VALIDATION_SAMPLES, contest.protocol.samples),
        seed=seed,
        batch_size=recipe.batch_size,
    )
    assert isinstance(metric, ValidationMetric), metric.reason
    return Timed(metric)


def fitted(contest: Contest, recipe: Recipe) -> Recipe:
    """The recipe with the budget that its time allows, by a trial of its speed."""
    if contest.seconds is None:
        return recipe
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_of(contest, recipe, 0, Path(folder))
        trainer.run_step()  # the first one allocates
        began = time.process_time()
        while time.process_time() - began < min(TRIAL_SECONDS, contest.seconds / 4) or trainer.step <= TRIAL_STEPS:
            trainer.run_step()
        seconds = (time.process_time() - began) / (trainer.step - 1)
    kimg = trainer.plan.kimg(max(VALIDATIONS, round(contest.seconds / seconds)))
    return recipe.model_copy(update={"budget_kimg": kimg})


def compete(contest: Contest, name: str, seed: int, folder: Path) -> dict[str, Any]:
    """Train, score and draw one recipe, or read what an earlier call has left; the facts are written last."""
    asked = load_recipe(RECIPES / f"{name}.yaml")
    file, identity = folder / f"{name}-{seed}.json", contest.identity(asked, seed)
    if file.exists() and (known := json.loads(file.read_text(encoding="utf-8")))["identity"] == identity:
        return dict(known)
    recipe = fitted(contest, asked)
    validation = validation_of(contest, recipe, seed)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = trainer_of(contest, recipe, seed, Path(scratch), validation)
        began = time.process_time()
        with progress(f"{name} {seed}", round(1000 * recipe.budget_kimg), "img") as bar:
            trainer.run(Interruption(), bar)
        seconds = time.process_time() - began - validation.seconds
    game, spec = trainer.game.eval(), trainer.data.spec
    for network, weights in trainer.weights().items():
        game.get_submodule(network).load_state_dict(weights)
    found = evaluate_game(
        *(game, contest.reference, contest.prepared, contest.protocol, seed), label=f"{name} {seed}", spec=spec
    )
    draw(contest, game, recipe, found.samples, seed, folder / f"{name}-{seed}")
    result: dict[str, Any] = {
        "identity": identity,
        "recipe": name,
        "seed": seed,
        "kimg": trainer.plan.kimg(trainer.step),
        "budget_kimg": asked.budget_kimg,
        "seconds": seconds,
        "parameters": sum(trainer.parameter_counts().values()),
        "selected": f"{trainer.best.step / trainer.step:.0%}" if trainer.selected == "best" else "last",
        "validation": [row[validation.name] for row in trainer.history if validation.name in row],
        "unhealthy": sorted(trainer.health.active),
        "scores": {base_of(key): estimate.value for key, estimate in found.scores.items()},
    }
    write_json(file, result)
    return result


def draw(contest: Contest, game: Game, recipe: Recipe, samples: Rows, seed: int, out: Path) -> None:
    """Samples, interpolations and the game's figures as files."""
    spec = recipe_spec(recipe, contest.manifest.spec)
    save_png(image_grid(samples["image"], COLUMNS, scale=1), out / "samples.png")
    rows = task_rows(game.task, contest.prepared, spec, COLUMNS)
    between = latent_interpolations(game, 4, COLUMNS, seed, rows)
    if between is not None:
        save_png(image_grid(between, COLUMNS, scale=1), out / "interpolations.png")
    for name, picture in draw_figures(game, held_out(contest.prepared, spec, "evaluation"), seed).items():
        save_png(picture.image, out / f"{name}.png")


def protocol_for(reference: Path, samples: int) -> EvaluateParams:
    """The few scores of a leaderboard, with the settings that the reference was made with."""
    made = load_reference(reference).description
    metrics = METRICS | {"kid": {"subset_size": min(500, samples)}}
    asked = {"features": made.features, "split": made.split, "samples": samples, "metrics": metrics}
    return EvaluateParams.model_validate(asked)


def main() -> None:
    """Train, score, draw."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--title", required=True, help="of the data, in tables and file names")
    arguments.add_argument("--prepared", type=Path, default=Path("data/prepared"), help="what the prepare stage wrote")
    arguments.add_argument("--reference", type=Path, default=Path("results/reference"), help="of the reference stage")
    arguments.add_argument("--minutes", type=float, default=1.25, help="processor time of each training")
    arguments.add_argument("--own-budget", action="store_true", help="each recipe's own instead of --minutes")
    arguments.add_argument("--precision", choices=get_args(Precision), default="auto")
    arguments.add_argument("--recipes", nargs="+", choices=ORDER, default=ORDER, metavar="NAME")
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0])
    arguments.add_argument("--samples", type=int, default=5000)
    arguments.add_argument("--results", type=Path, default=Path("results/zoo"), help="one folder of results per title")
    arguments.add_argument("--pictures", type=Path, help="folder for the pictures of the whole contest")
    arguments.add_argument("--quick", action="store_true", help="a fiftieth of a minute each, 200 samples")
    arguments.add_argument("--json", type=Path, help="write the rows to this file")
    options = arguments.parse_args()
    minutes, samples = (0.02, 200) if options.quick else (options.minutes, options.samples)
    torch.set_num_threads(1)
    contest = Contest(
        prepared=options.prepared,
        reference=options.reference,
        seconds=None if options.own_budget else 60 * minutes,
        precision=options.precision,
        protocol=protocol_for(options.reference, samples),
        rows=read_packed(options.prepared, "train"),
        manifest=read_manifest(options.prepared),
    )
    folder: Path = options.results / options.title
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in options.seeds:
        for name in options.recipes:
            found.setdefault(name, []).append(compete(contest, name, seed, folder))
            print(line(found[name]), flush=True)
    ranked = sorted(found.values(), key=lambda results: fmean(each["scores"]["fid"] for each in results))
    length = "its own budget" if options.own_budget else f"{minutes:g} minutes of one thread each"
    print(f"\n{options.title}: {length}, {samples:,} samples\n\n{table(ranked)}\n")
    if options.pictures:
        first = [results[0] for results in ranked]
        folders = [(each["recipe"], folder / f"{each['recipe']}-{each['seed']}") for each in first]
        draw_contest(folders, options.pictures / f"zoo-{options.title}")
    report(rows_of(options.title, ranked), options.json)


if __name__ == "__main__":
    main()
