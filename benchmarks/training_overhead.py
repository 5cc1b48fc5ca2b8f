"""What a training costs apart from its steps: samples, curves, checkpoints, MLflow and health, in processor time.

python -m benchmarks.training_overhead --prepared data/prepared [--recipe dcgan] [--quick] [--json FILE]

One whole training with the shipped budget and settings, tracked into a new MLflow database. The baseline of each row is
the most that is allowed, in percent.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.rows import Row, report
from benchmarks.trainers import make_trainer
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.games.build import recipe_spec
from ganops.params import TrainParams
from ganops.recipe import load_recipe
from ganops.resolved import load_params
from ganops.tracked_training import FileCallback
from ganops.tracking.run import start_run
from ganops.training import trainer as loop
from ganops.training.health import Health
from ganops.training.interruption import watch_for_interruption
from ganops.training.trainer import Trainer

ROOT = Path(__file__).resolve().parent.parent
CHORES = {"sampling": "_sample", "curves": "_log"}
CHECKS = ("see_curves", "see_samples", "see_weights")


class Stopwatch:
    """Processor seconds of this thread, by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, whose time is counted under `name`."""

        def call(*arguments: Any, **named: Any) -> Any:
            begin = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds[name] += time.thread_time() - begin

        return call


def train_timed(name: str, prepared: Path, scale: float, folder: Path) -> tuple[dict[str, float], float]:
    """Processor seconds of each chore and of the whole training; `tracking` is what other threads took."""
    recipe = load_recipe(ROOT / "pipeline" / "recipes" / f"{name}.yaml")
    params = load_params(ROOT / "params.yaml")
    settings = params.train.model_copy(update={"budget_scale": scale})
    rows, manifest = read_packed(prepared, "train"), read_manifest(prepared)
    torch.set_num_threads(1)  # so that all threads but the first belong to tracking
    watch = Stopwatch()
    with ExitStack() as stack:
        for chore, method in CHORES.items():
            stack.enter_context(patch.object(Trainer, method, watch.timed(chore, getattr(Trainer, method))))
        stack.enter_context(patch.object(loop, "save", watch.timed("checkpoints", loop.save)))
        for method in CHECKS:
            stack.enter_context(patch.object(Health, method, watch.timed("health", getattr(Health, method))))
        run = stack.enter_context(start_run(name, params=params, recipe=recipe, manifest=manifest))
        callback = FileCallback(run, recipe_spec(recipe, manifest.spec).fields, folder / "samples")
        trainer = make_trainer(recipe, rows, manifest.spec, settings, folder / "checkpoints", callback=callback)
        interruption = stack.enter_context(watch_for_interruption())
        whole, own = time.process_time(), time.thread_time()
        trainer.run(interruption)
        callback.flush()
        whole, own = time.process_time() - whole, time.thread_time() - own
    return watch.seconds | {"tracking": whole - own}, whole


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--prepared", type=Path, default=Path("data/prepared"), help="what the prepare stage wrote")
    arguments.add_argument("--recipe", default="dcgan")
    arguments.add_argument("--quick", action="store_true", help="a tenth of the budget, which makes the shares larger")
    arguments.add_argument("--json", type=Path, help="write the rows to this file")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
        scale = TrainParams().budget_scale * (0.1 if options.quick else 1.0)
        seconds, whole = train_timed(options.recipe, options.prepared.resolve(), scale, Path(folder))
    for chore, spent in seconds.items():
        print(f"{chore:<12} {spent:7.2f} s of {whole:.1f} s  {spent / whole:7.2%}", flush=True)
    chores = 100 * sum(spent for chore, spent in seconds.items() if chore != "health") / whole
    health = 100 * seconds["health"] / whole
    words = f"{options.recipe}, share of the processor time"
    names = {"samples, curves, checkpoints, tracking": (chores, 3.0), "health": (health, 1.0)}
    rows = [
        Row(f"{words}: {name}", share, "%", "allowed", limit, limit / share, 1.0)
        for name, (share, limit) in names.items()
    ]
    report(rows, options.json)


if __name__ == "__main__":
    main()
