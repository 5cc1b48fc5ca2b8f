"""The share of a training's time that its validation metric takes, with default settings, recipe by recipe.

python -m benchmarks.validation_share [--prepared data/prepared] [--reference results/reference] [--recipes NAME ...]

On a CPU processor seconds are counted, which other work on the machine changes little; on a GPU wall-clock seconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.trainers import make_trainer
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.evaluation.validation_metric import NoValidation, load_validation_metric
from ganops.params import TrainParams
from ganops.recipe import load_recipe

RECIPES = Path(__file__).resolve().parent.parent / "pipeline" / "recipes"
IMAGES = 2000  # shown to the first player in one measurement of training
TIMES = 3


def seconds(work: Callable[[], object]) -> float:
    """What `work` takes, the median of three times."""
    on_gpu = torch.cuda.is_available()
    clock, taken = time.perf_counter if on_gpu else time.process_time, []
    for _ in range(TIMES):
        begin = clock()
        work()
        if on_gpu:
            torch.cuda.synchronize()
        taken.append(clock() - begin)
    return statistics.median(taken)


def share(name: str, prepared: Path, reference: Path) -> str:
    """One row of the table."""
    rows, spec = read_packed(prepared, "train"), read_manifest(prepared).spec
    recipe, settings = load_recipe(RECIPES / f"{name}.yaml"), TrainParams(compile="never")
    trainer = make_trainer(recipe, rows, spec, settings, Path("unused"))
    plan = trainer.plan
    metric = load_validation_metric(
        trainer.ema.game,
        trainer.data.spec,
        reference,
        prepared,
        samples=settings.validation_samples,
        seed=0,
        batch_size=recipe.batch_size,
        device=trainer.hardware.device,
    )
    if isinstance(metric, NoValidation):
        return f"| `{name}` | | | | none: {metric.reason} |"
    steps = max(1, IMAGES // plan.images_per_step)

    def train() -> None:
        for _ in range(steps):
            trainer.run_step()

    train()
    training = seconds(train) / steps * plan.steps
    scoring = seconds(lambda: metric(trainer.ema.game)) * len(plan.validate_at)
    times = len(plan.validate_at)
    return f"| `{name}` | {metric.about} | {training:,.1f} s | {times} | {scoring:.1f} s | {scoring / training:.1%} |"


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--prepared", type=Path, default=Path("data/prepared"), help="what the prepare stage wrote")
    arguments.add_argument("--reference", type=Path, default=Path("results/reference"), help="of the reference stage")
    arguments.add_argument("--recipes", nargs="+", default=["mlp", "dcgan", "wgan-gp"])
    options = arguments.parse_args()
    head = ("recipe", "metric", "training", "validations", "validating", "share")
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}", flush=True)
    for name in options.recipes:
        print(share(name, options.prepared, options.reference), flush=True)


if __name__ == "__main__":
    main()
