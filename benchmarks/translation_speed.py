"""Images per second of `cyclegan` or `pix2pix` against the plain loop, with the same sizes of networks and batches.

python -m benchmarks.translation_speed [--recipe pix2pix] [--size 64] [--channels 3] [--threads 1] [--quick]
                                       [--json FILE]

The images are noise, which costs as much as any. Each side has its own process and waits there for its turn. Ours runs
in float32 and, where the hardware computes in it, in bfloat16, as the shipped settings choose.
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
from torch import Tensor

from benchmarks.cyclegan_loop import CycleGANLoop
from benchmarks.own_process import Measure, OwnProcess
from benchmarks.pix2pix_loop import Pix2PixLoop
from benchmarks.rows import Row, alternate, report
from benchmarks.tutorial_loop import memory_batches
from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DOMAINS, IMAGE, SOURCE, DataSpec
from ganops.games.sampling import HeldOut
from ganops.params import TrainParams
from ganops.recipe import load_recipe
from ganops.training.job import TrainingJob

RECIPES = Path(__file__).resolve().parent.parent / "pipeline" / "recipes"
IMAGES, WARM_UP = 256, 8
TARGETS = {"cyclegan": 1.5, "pix2pix": 1.8}


def noise(channels: int, size: int) -> Tensor:
    """Stored images."""
    return torch.randint(0, 256, (IMAGES, channels, size, size), dtype=torch.uint8)


def ours(name: str, channels: int, size: int, settings: TrainParams) -> tuple[Measure, str]:
    """Our training, warmed up, and its precision."""
    field = ImageField.model_validate({"channels": channels, "size": size})
    paired = name == "pix2pix"
    spec = DataSpec(fields=dict.fromkeys((IMAGE, SOURCE) if paired else DOMAINS, field), paired=paired)
    columns = {column: noise(channels, size) for column in spec.fields}
    rows = [Rows(columns)] if paired else [Rows({column: images}) for column, images in columns.items()]
    job = TrainingJob("benchmark", load_recipe(RECIPES / f"{name}.yaml"), settings, 0, spec, data_digest="")
    trainer = job.build(rows, Path("unused"), held_out=HeldOut(rows[0], spec))

    def measure(steps: int) -> float:
        begin = time.perf_counter()
        for _ in range(steps):
            trainer.run_step()
        return steps * trainer.plan.images_per_step / (time.perf_counter() - begin)

    measure(WARM_UP)
    return measure, trainer.hardware.precision_name


def plain(name: str, channels: int, size: int) -> tuple[Measure, str]:
    """The plain loop, warmed up."""
    recipe = load_recipe(RECIPES / f"{name}.yaml")
    loop = Pix2PixLoop(recipe, channels, size) if name == "pix2pix" else CycleGANLoop(recipe, channels)
    a, b = (memory_batches(noise(channels, size), recipe.batch_size, torch.device("cpu")) for _ in DOMAINS)
    loop.run(a, b, 2)
    return lambda steps: loop.run(a, b, steps), "plain loop, float32"


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--recipe", choices=TARGETS, default="cyclegan")
    arguments.add_argument("--size", type=int, default=64)
    arguments.add_argument("--channels", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    arguments.add_argument("--json", type=Path, help="write the rows to this file")
    options = arguments.parse_args()
    sides = options.recipe, options.channels, options.size
    times, steps = (3, 4) if options.quick else (5, 12)
    modes = [TrainParams(precision=name, compile="never", sample_images=2) for name in ("auto", "float32")]
    with ExitStack() as children:

        def child(make: Callable[..., tuple[Measure, str]], *arguments: Any) -> OwnProcess:
            return children.enter_context(closing(OwnProcess(options.threads, make, *arguments)))

        modes_of = [child(ours, *sides, mode) for mode in modes]
        kinds = {side.name: side for side in modes_of}  # `auto` may be float32
        baseline = child(plain, *sides)
        measured = {side.name: partial(side.measure, steps) for side in [*kinds.values(), baseline]}
        median = alternate(measured, times)
    title, theirs = f"{options.recipe}, {options.channels} x {options.size} x {options.size}", median[baseline.name]
    target = TARGETS[options.recipe]
    report(
        [
            Row(f"{title}, {kind}", median[kind], "images/s", baseline.name, theirs, median[kind] / theirs, target)
            for kind in kinds
        ],
        options.json,
    )


if __name__ == "__main__":
    main()
