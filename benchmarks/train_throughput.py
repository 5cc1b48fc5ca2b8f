"""Images per second of our training against the loop that people copy, on the same networks and data.

python -m benchmarks.train_throughput [--prepared data/prepared] [--threads 1] [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.rows import Row, alternate, report
from benchmarks.trainers import make_trainer
from benchmarks.tutorial_loop import Batches, TutorialLoop, loader_batches, memory_batches
from benchmarks.tutorial_networks import tutorial_networks
from ganops.data.manifest import read_manifest
from ganops.data.packed import PackedImages, read_packed
from ganops.data.spec import DataSpec
from ganops.params import TrainParams
from ganops.recipe import load_recipe

RECIPES = Path(__file__).resolve().parent.parent / "pipeline" / "recipes"
TARGETS = {"cpu": {"loader": 2.5, "memory": 2.0}, "cuda": {"loader": 8.0, "memory": None}}


def ours(name: str, data: PackedImages, spec: DataSpec, **params: Any) -> tuple[Callable[[int], float], str]:
    """A function that plays rounds and gives images/s, and the precision it plays in. Warmed up."""
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    trainer = make_trainer(recipe, data, spec, TrainParams(**params), Path("unused"))
    plan, hardware = trainer.plan, trainer.hardware

    def play(rounds: int) -> float:
        begin = time.perf_counter()
        for _ in range(rounds):
            trainer.play_round()
        if hardware.device.type == "cuda":
            torch.cuda.synchronize()
        return rounds * plan.images_per_round / (time.perf_counter() - begin)

    play(8)
    kind = hardware.precision_name + (", compiled" if hardware.compiled else "")
    return play, kind


def tutorial(name: str, data: PackedImages, spec: DataSpec, source: str, workers: int) -> Callable[[int], float]:
    """The plain loop over the same networks, written in the plain way. Warmed up."""
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batches: Batches = (
        loader_batches(data, recipe.batch_size, workers)
        if source == "loader"
        else memory_batches(data, recipe.batch_size, device)
    )
    loop = TutorialLoop(recipe, *tutorial_networks(recipe, spec), device)
    loop.rounds(batches, 4)
    return lambda rounds: loop.rounds(batches, rounds)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--prepared", type=Path, default=Path("data/prepared"), help="what the prepare stage wrote")
    arguments.add_argument("--recipes", nargs="+", default=["dcgan", "wgan-gp", "mlp"])
    arguments.add_argument("--threads", type=int, default=1, help="of both sides; loader processes come on top")
    arguments.add_argument("--compile", action="store_true", help="measure compiled training too")
    arguments.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    arguments.add_argument("--json", type=Path, help="write the rows to this file")
    options = arguments.parse_args()
    data, spec = read_packed(options.prepared, "train"), read_manifest(options.prepared).spec
    torch.set_num_threads(options.threads)
    times, rounds = (3, 10) if options.quick else (5, 40)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = []
    for name in options.recipes:
        print(f"{name}: {len(data)} images of {spec.shape}, {torch.get_num_threads()} threads", flush=True)
        modes = [{"precision": "auto", "compile": "never"}, {"precision": "float32", "compile": "never"}]
        if options.compile:
            modes.append({"precision": "auto", "compile": "always"})
        plays = {kind: play for play, kind in (ours(name, data, spec, **mode) for mode in modes)}
        baselines = {source: tutorial(name, data, spec, source, workers=2) for source in ("loader", "memory")}
        contestants = {kind: (lambda play=play: play(rounds)) for kind, play in (plays | baselines).items()}
        median = alternate(contestants, times)
        for kind in plays:
            for source, words in (("loader", "plain loop, DataLoader"), ("memory", "plain loop, tensors in memory")):
                target = TARGETS[device][source] if name == "dcgan" else None
                ratio = median[kind] / median[source]
                rows.append(
                    Row(f"{name}, {kind}", median[kind], "images/s", f"{words}, float32", median[source], ratio, target)
                )
    report(rows, options.json)


if __name__ == "__main__":
    main()
