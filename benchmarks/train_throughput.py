"""Images per second of our training against the usual tutorial loop, on the same networks and data.

python -m benchmarks.train_throughput [--prepared data/prepared] [--threads 1] [--quick] [--json FILE]

Each side has its own process, in which it waits for its turn: our training changes memory allocation and CPU kernels
for its whole process, which the tutorial loop must not profit from.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.own_process import Measure, OwnProcess
from benchmarks.rows import Row, alternate, report
from benchmarks.trainers import make_trainer
from benchmarks.tutorial_loop import Batches, TutorialLoop, loader_batches, memory_batches
from benchmarks.tutorial_networks import tutorial_networks
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.params import TrainParams
from ganops.recipe import load_recipe

RECIPES = Path(__file__).resolve().parent.parent / "pipeline" / "recipes"
TARGETS: dict[str, dict[str, float | None]] = {
    "cpu": {"loader": 2.5, "memory": 2.0},
    "cuda": {"loader": 8.0, "memory": None},
}


def ours(name: str, prepared: Path, settings: TrainParams) -> tuple[Measure, str]:
    """Our training, warmed up, and its precision."""
    rows, spec = read_packed(prepared, "train"), read_manifest(prepared).spec
    trainer = make_trainer(load_recipe(RECIPES / f"{name}.yaml"), rows, spec, settings, Path("unused"))
    plan, hardware = trainer.plan, trainer.hardware

    def measure(steps: int) -> float:
        begin = time.perf_counter()
        for _ in range(steps):
            trainer.run_step()
        if hardware.device.type == "cuda":
            torch.cuda.synchronize()
        return steps * plan.images_per_step / (time.perf_counter() - begin)

    measure(8)
    return measure, hardware.precision_name + (", compiled" if hardware.compiled else "")


def tutorial(name: str, prepared: Path, source: str, workers: int) -> tuple[Measure, str]:
    """The plain loop over the same networks, written in the plain way, and where its images come from. Warmed up."""
    images, spec = read_packed(prepared, "train")["image"], read_manifest(prepared).spec
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batches: Batches = (
        loader_batches(images, recipe.batch_size, workers)
        if source == "loader"
        else memory_batches(images, recipe.batch_size, device)
    )
    loop = TutorialLoop(recipe, *tutorial_networks(recipe, spec), device)
    loop.run(batches, 4)
    return lambda steps: loop.run(batches, steps), source


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--prepared", type=Path, default=Path("data/prepared"), help="what the prepare stage wrote")
    arguments.add_argument("--recipes", nargs="+", default=["dcgan", "wgan-gp", "mlp"])
    arguments.add_argument("--threads", type=int, default=1, help="of both sides; loader processes come on top")
    arguments.add_argument("--compile", action="store_true", help="measure compiled training too")
    arguments.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    arguments.add_argument("--json", type=Path, help="write the rows to this file")
    options = arguments.parse_args()
    times, steps = (3, 10) if options.quick else (5, 40)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    spec, rows = read_manifest(options.prepared).spec, []
    modes = [TrainParams(compile="never"), TrainParams(precision="float32", compile="never")]
    if options.compile:
        modes.append(TrainParams(compile="always"))
    for name in options.recipes:
        print(f"{name}: {spec.fields['image'].description}, {options.threads} threads", flush=True)
        with ExitStack() as children:

            def child(make: Callable[..., tuple[Measure, str]], *arguments: Any) -> OwnProcess:
                return children.enter_context(closing(OwnProcess(options.threads, make, *arguments)))

            modes_of = [child(ours, name, options.prepared, mode) for mode in modes]
            sides = {side.name: side for side in modes_of}  # `auto` may be float32
            baselines = [child(tutorial, name, options.prepared, source, 2) for source in ("loader", "memory")]
            measured = {side.name: partial(side.measure, steps) for side in [*sides.values(), *baselines]}
            median = alternate(measured, times)
        for kind in sides:
            for source, words in (("loader", "plain loop, DataLoader"), ("memory", "plain loop, tensors in memory")):
                target = TARGETS[device][source] if name == "dcgan" else None
                ratio = median[kind] / median[source]
                title, baseline = f"{name}, {kind}", f"{words}, float32"
                rows.append(Row(title, median[kind], "images/s", baseline, median[source], ratio, target))
    report(rows, options.json)


if __name__ == "__main__":
    main()
