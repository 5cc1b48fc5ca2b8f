"""Mode collapse, seen and cured: every objective on ring2d and grid2d, with the same plain networks.

python -m benchmarks.mode_coverage [--seeds 1] [--best-seeds 10] [--only NAME ...] [--data ring2d grid2d]
    [--picture FILE] [--quick] [--json FILE] [--keep FOLDER] [--plain-steps 6000]

Widths and optimisers are those of the recipe `points`, without its waves and its mixture of latents, and the budget is
6,000 steps to its 2,250, since they need it. An objective changes its game alone, and what its paper changes with it.
The last row is the recipe itself. Counted as VEEGAN and PacGAN do (see ganops.evaluation.metrics.mixture), with 2,500
samples of the averaged generator.

With --keep, the samples of each training stay in a folder, by the digest of their recipe: the same command continues
where it was ended. It takes what is there as long as recipe and seed are the same, whatever has changed in the code.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from benchmarks.rows import Row, report
from benchmarks.trainers import make_trainer
from ganops.atomic import write_bytes
from ganops.data.fields.captions import with_caption
from ganops.data.fields.pictures import save_png, scatter
from ganops.data.rows import Rows
from ganops.data.sources.mixtures import MixtureName, collect, mixture
from ganops.data.spec import VECTOR, DataSpec
from ganops.evaluation.metrics.mixture import nearest
from ganops.evaluation.metrics.modes import modes
from ganops.games.sampling import sample_outputs
from ganops.params import TrainParams
from ganops.recipe import Recipe, load_recipe
from ganops.training.interruption import Interruption

POINTS = Path(__file__).resolve().parent.parent / "pipeline" / "recipes" / "points.yaml"
DATA_SETS: tuple[MixtureName, ...] = ("ring2d", "grid2d")
SAMPLES, SAMPLE_SEED, PANEL, PANELS_IN_A_ROW = 2500, 1, 200, 5
BEST = "recipe points"

Changes = dict[str, Any]


def plain(loss: str, **more: Any) -> Changes:
    """The game of one loss, and what is added to it."""
    return {"game": {"kind": "unconditional", "loss": loss, **more}}


def penalised(kind: str, weight: float) -> Changes:
    """A penalty on the critic or discriminator; R1 and R2 lazily, as in the recipe."""
    return {"penalty": {"kind": kind, "weight": weight, "every": 2 if kind.startswith("r1") else 1}}


OBJECTIVES: dict[str, Changes] = {
    "minimax": plain("minimax"),
    "non-saturating": plain("non-saturating"),
    "least squares": plain("least-squares"),
    "hinge": plain("hinge"),
    "relativistic": plain("relativistic"),
    "Wasserstein, clipped": {**plain("wasserstein", clip=0.1), "turns": {"discriminator": 5}},
    # A weight of 0.1 is that of the paper's authors for their own 8 and 25 Gaussians.
    "Wasserstein + gradient penalty": {
        **plain("wasserstein", **penalised("gradient-penalty", 0.1)),
        "turns": {"discriminator": 5},
    },
    "non-saturating + R1": plain("non-saturating", **penalised("r1", 5e-2)),
    "non-saturating + DRAGAN": plain("non-saturating", **penalised("dragan", 0.1)),
    "relativistic + R1 + R2": plain("relativistic", **penalised("r1-r2", 5e-2)),
    "packed by 2 (PacGAN)": {**plain("non-saturating"), "discriminator": {"pack": 2}},
    "mini-batch discrimination": {**plain("non-saturating"), "discriminator": {"minibatch": "discrimination"}},
    # The rates are those of the paper's own 8 Gaussians.
    "unrolled by 5": {
        "game": {"kind": "unrolled", "loss": "minimax", "unroll_steps": 5, "unroll_lr": 1e-4},
        "rates": {"generator": 1e-3, "discriminator": 1e-4},
    },
    "instance noise, fading": plain("non-saturating", noise={"std": 0.1, "steps": 500}),
    BEST: {},
}


@dataclass(frozen=True)
class Outcome:
    """The result of one training. seconds: of one core. points: (2500, 2) samples."""

    modes: int
    high_quality: float
    reverse_kl: float
    seconds: float
    points: Tensor


def recipe_for(changes: Changes, plain_steps: int, share: float = 1.0) -> Recipe:
    """The recipe `points` or, with changes, a plain one of as many steps, for `share` of its budget.

    More turns of a critic see more points in as many steps.
    """
    recipe = load_recipe(POINTS)
    values = recipe.model_dump()
    if changes:
        plain_pair = {
            "generator": {"components": 0},
            "discriminator": {"fourier": None} | changes.get("discriminator", {}),
        }
        values["networks"] = {name: recipe.networks[name] | plain_pair[name] for name in recipe.networks}
        turns = changes.get("turns", {})
        kimg = plain_steps * recipe.batch_size * turns.get("discriminator", 1) / 1000
        values |= {"game": changes["game"], "turns": turns, "budget_kimg": kimg}
        for player, rate in changes.get("rates", {}).items():
            values["optimizers"][player]["lr"] = rate
    values["budget_kimg"] *= share
    return Recipe.model_validate(values)


def train(name: MixtureName, recipe: Recipe, seed: int) -> tuple[Tensor, float]:
    """Samples (2500, 2) of one training, by the trainer that images are trained with, and its seconds."""
    raw = collect(name)
    rows = Rows({VECTOR: torch.from_numpy(raw.columns[VECTOR][raw.rows["train"]])})
    spec = DataSpec(fields={VECTOR: raw.fields[VECTOR]})
    settings = TrainParams(device="cpu", compile="never", sample_times=1, checkpoint_seconds=3600)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(recipe, rows, spec, settings, Path(folder), seed=seed)
        trainer.run(Interruption())
    return sample_outputs(trainer.ema.game, SAMPLES, SAMPLE_SEED)[VECTOR], time.process_time() - began


def samples_of(name: MixtureName, recipe: Recipe, seed: int, keep: Path | None) -> tuple[Tensor, float]:
    """What `train` gives, from the folder `keep` if the same training left it there."""
    if keep is None:
        return train(name, recipe, seed)
    file = keep / f"{name}-{recipe.digest()[:16]}-{seed}.safetensors"
    if not file.is_file():
        points, seconds = train(name, recipe, seed)
        write_bytes(file, save({"points": points}, {"seconds": str(seconds)}))
    with safe_open(file, framework="pt") as kept:
        return kept.get_tensor("points"), float(kept.metadata()["seconds"])


def measure(name: MixtureName, recipe: Recipe, seed: int, keep: Path | None = None) -> Outcome:
    """Train, and count."""
    points, seconds = samples_of(name, recipe, seed, keep)
    known = mixture(name)
    found = nearest(points, known)
    shares = modes(found.mode, torch.arange(len(known.centres)), len(known.centres))
    quality = float(found.high_quality.double().mean())
    return Outcome(found.modes_found, quality, shares.divergence, seconds, points)


def rows_of(name: MixtureName, objective: str, outcomes: list[Outcome]) -> list[Row]:
    """Mean and worst of the seeds beside the best published mean (PacGAN, arXiv:1712.04086, table 1)."""
    title, seeds, best = f"{name}, {objective}", len(outcomes), objective == BEST
    counts, shares = [each.modes for each in outcomes], [each.high_quality for each in outcomes]
    of, published, whose = (8, 7.9, "PacGAN2") if name == "ring2d" else (25, 24.8, "PacGAN4")
    quality = 0.982 if name == "ring2d" else 0.948

    def against(what: str, value: float, unit: str, theirs: float, whose: str, wanted: float) -> Row:
        target = wanted / theirs if best else None
        return Row(f"{title}: {what}", value, unit, f"{whose}, published", theirs, value / theirs, target)

    return [
        against(f"modes, mean of {seeds} seeds", fmean(counts), f"of {of}", published, whose, of),
        against("modes, worst seed", min(counts), f"of {of}", published, whose, of),
        against("high quality, mean", fmean(shares), "share", quality, "GAN", 0.97),
        against("high quality, worst seed", min(shares), "share", quality, "GAN", 0.97),
    ]


def panels(drawn: list[tuple[str, Tensor]]) -> Image.Image:
    """A picture of each objective's points under its name."""
    pictures = [with_caption(scatter(points).resize((PANEL, PANEL)), title) for title, points in drawn]
    columns = min(PANELS_IN_A_ROW, len(pictures))
    height = pictures[0].height
    canvas = Image.new("L", (columns * (PANEL + 4), -(-len(pictures) // columns) * (height + 4)), 255)
    for index, picture in enumerate(pictures):
        canvas.paste(picture, (index % columns * (PANEL + 4), index // columns * (height + 4)))
    return canvas.point([round(grey / 85) * 85 for grey in range(256)])  # four greys do, in a fraction of the bytes


def main() -> None:
    """Measure, print, draw."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=1, help="trainings of each objective")
    arguments.add_argument("--best-seeds", type=int, default=10, help="trainings of the shipped recipe")
    arguments.add_argument("--only", nargs="+", choices=list(OBJECTIVES), default=list(OBJECTIVES))
    arguments.add_argument("--data", nargs="+", choices=DATA_SETS, default=list(DATA_SETS))
    arguments.add_argument("--picture", type=Path, help="draw the first seed of each objective to this file")
    arguments.add_argument("--plain-steps", type=int, default=6000, help="of all others")
    arguments.add_argument("--quick", action="store_true", help="one seed, a fiftieth of the budget")
    arguments.add_argument("--json", type=Path, help="write the rows to this file")
    arguments.add_argument("--keep", type=Path, help="folder in which samples of finished trainings stay")
    options = arguments.parse_args()
    share = 0.02 if options.quick else 1.0
    rows: list[Row] = []
    drawn: list[tuple[str, Tensor]] = []
    print("| data | objective | seeds | modes | high quality | reverse KL | seconds of a core, each |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in options.data:
        for objective in options.only:
            wanted = 1 if options.quick else options.best_seeds if objective == BEST else options.seeds
            recipe = recipe_for(OBJECTIVES[objective], options.plain_steps, share)
            outcomes = [measure(name, recipe, seed, options.keep) for seed in range(wanted)]
            counts = [each.modes for each in outcomes]
            quality, divergence, seconds = (
                fmean(getattr(each, key) for each in outcomes) for key in ("high_quality", "reverse_kl", "seconds")
            )
            print(
                f"| {name} | {objective} | {wanted} | {fmean(counts):.1f} ({min(counts)} to {max(counts)}) "
                f"| {quality:.1%} | {divergence:.3f} | {seconds:.0f} |",
                flush=True,
            )
            rows += rows_of(name, objective, outcomes)
            drawn.append((objective.partition(" (recipe")[0], outcomes[0].points))
    if options.picture:
        save_png(panels(drawn), options.picture)
    report(rows, options.json)


if __name__ == "__main__":
    main()
