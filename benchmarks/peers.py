"""SNGAN against torch-mimicry's own training steps: the same networks, images and seconds of a processor.

python -m benchmarks.peers --prepared data/prepared
    [--recipe FILE] [--width 64] [--seconds 300] [--samples 5000] [--grids FOLDER] [--quick] [--json FILE]

The data are colour images of 32 x 32 pixels, such as CIFAR-10, prepared. Each side has a process of its own with one
thread, and its images in memory. Time is the process's own processor time: other work on the machine changes it little.
The peer has its own defaults (Adam 2e-4 and 0, 0.9; five turns of the discriminator), ours those of its recipe.
Needs `pip install --no-deps torch-mimicry`. lightweight-gan cannot be compared: it refuses to start without a GPU.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from benchmarks.own_process import Measure, OwnProcess
from benchmarks.rows import Row, alternate, report
from benchmarks.trainers import make_trainer
from benchmarks.tutorial_loop import memory_batches
from ganops.data.fields.image import ImageField
from ganops.data.fields.pictures import image_grid, save_png
from ganops.data.manifest import read_manifest
from ganops.data.packed import read_packed
from ganops.evaluation.extractors.efficientnet import EfficientNetLite0
from ganops.evaluation.frechet import frechet_distance
from ganops.evaluation.real import draw
from ganops.evaluation.statistics import Statistics, statistics_of
from ganops.games.sampling import sample_outputs
from ganops.params import TrainParams
from ganops.recipe import Recipe, load_recipe
from ganops.training.randomness import seed_all

RECIPE = Path(__file__).resolve().parent.parent / "pipeline" / "recipes" / "sngan.yaml"
PEER_TURNS, PEER_RATE, PEER_BETAS = 5, 2e-4, (0.0, 0.9)
BATCH, SAMPLED = 64, 250


class Side(Protocol):
    """One contestant. name: with its precision; weights: how many each network has; shown: real images so far."""

    name: str
    weights: tuple[int, int]
    shown: int

    def step(self) -> None:
        """All turns of both players once."""

    def sample(self, count: int) -> Tensor:
        """(count, 3, 32, 32) uint8 images, as they would be scored."""


class Ours:
    """A recipe's training, as the train stage builds it; samples come from the averaged generator."""

    def __init__(self, prepared: Path, recipe: Recipe) -> None:
        rows, spec = read_packed(prepared, "train"), read_manifest(prepared).spec
        self._folder = tempfile.TemporaryDirectory()
        settings = TrainParams(compile="never")
        self._trainer = make_trainer(recipe, rows, spec, settings, Path(self._folder.name))
        self.name = f"ours, {self._trainer.hardware.precision_name}"
        counts = self._trainer.parameter_counts()
        self.weights = counts["generator"], counts["discriminator"]
        self.shown = 0

    def step(self) -> None:
        """See Side."""
        self._trainer.run_step()
        self.shown += self._trainer.plan.images_per_step

    def sample(self, count: int) -> Tensor:
        """See Side."""
        return sample_outputs(self._trainer.ema.game, count, 0)["image"]


class Peer:
    """torch-mimicry's networks of 32 x 32 and their training steps, in the order of its trainer."""

    name = "torch-mimicry, float32"

    def __init__(self, prepared: Path, width: int) -> None:
        seed_all(0)
        networks, self._log = peer_modules()
        self.generator: Any = networks.SNGANGenerator32(ngf=width)
        self.discriminator: Any = networks.SNGANDiscriminator32(ndf=width)
        self.weights = _weights(self.generator), _weights(self.discriminator)
        self._optimizers = [
            torch.optim.Adam(network.parameters(), PEER_RATE, betas=PEER_BETAS)
            for network in (self.generator, self.discriminator)
        ]
        self._device, self.shown = torch.device("cpu"), 0
        self._batches = memory_batches(read_packed(prepared, "train")["image"], BATCH, self._device)

    def step(self) -> None:
        """See Side."""
        log, settings = self._log.MetricLog(), {"device": self._device}
        for _ in range(PEER_TURNS):
            batch = next(self._batches), None
            self.discriminator.train_step(
                real_batch=batch, netG=self.generator, optD=self._optimizers[1], log_data=log, **settings
            )
            self.shown += BATCH
        self.generator.train_step(
            real_batch=batch, netD=self.discriminator, optG=self._optimizers[0], log_data=log, **settings
        )

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """See Side."""
        self.generator.eval()
        parts = [self.generator.generate_images(SAMPLED, self._device) for _ in range(-(-count // SAMPLED))]
        return ((torch.cat(parts)[:count] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def peer_modules() -> tuple[Any, Any]:
    """torch-mimicry's modules of networks and of logs.

    Its __init__ files ask for TensorFlow and for parts of torch that no longer exist: packages without them stand in.
    """
    spec = importlib.util.find_spec("torch_mimicry")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("torch-mimicry is missing: pip install --no-deps torch-mimicry")
    root = Path(spec.submodule_search_locations[0])
    for name, folder in (("torch_mimicry", root), ("torch_mimicry.training", root / "training")):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    found = ("torch_mimicry.nets.sngan.sngan_32", "torch_mimicry.training.metric_log")
    networks, log = (importlib.import_module(name) for name in found)
    return networks, log


def of_width(recipe: Recipe, width: int, **changes: Any) -> Recipe:
    """The recipe with networks of that width, and other changes."""
    networks = {name: settings | {"width": width} for name, settings in recipe.networks.items()}
    return recipe.model_copy(update={"networks": networks} | changes)


def paced(make: Any, *arguments: Any) -> tuple[Measure, str]:
    """A side, warmed up: real images for each second of its processor. For a child process."""
    side: Side = make(*arguments)

    def measure(steps: int) -> float:
        before, begin = side.shown, time.process_time()
        for _ in range(steps):
            side.step()
        return (side.shown - before) / (time.process_time() - begin)

    measure(8)
    return measure, f"{side.name}; {side.weights[0]:,} and {side.weights[1]:,} weights"


def train_ours(prepared: Path, recipe: Recipe, seconds: float, count: int) -> tuple[float, Tensor]:
    """kimg seen in so many seconds of a processor, and samples.

    How much that will be is measured first: the recipe's learning rates fall over its budget.
    """
    torch.set_num_threads(1)
    begin = time.process_time()
    measure, _ = paced(Ours, prepared, recipe)
    rate, left = measure(5), seconds - (time.process_time() - begin)
    return _train(Ours(prepared, recipe.model_copy(update={"budget_kimg": rate * left / 1000})), begin + seconds, count)


def train_peer(prepared: Path, width: int, seconds: float, count: int) -> tuple[float, Tensor]:
    """As `train_ours`."""
    torch.set_num_threads(1)
    begin = time.process_time()
    return _train(Peer(prepared, width), begin + seconds, count)


def _train(side: Side, end: float, count: int) -> tuple[float, Tensor]:
    while time.process_time() < end:
        side.step()
    return side.shown / 1000, side.sample(count)


def _weights(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _statistics(images: Tensor, extractor: EfficientNetLite0) -> Statistics:
    return statistics_of(extractor(some).features for some in torch.split(images, SAMPLED))


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--prepared", type=Path, default=Path("data/prepared"), help="what the prepare stage wrote")
    arguments.add_argument("--recipe", type=Path, default=RECIPE, help="of an SNGAN; its width is set")
    arguments.add_argument("--width", type=int, default=64)
    arguments.add_argument("--seconds", type=float, default=300, help="of a processor, for each side; 0: rates alone")
    arguments.add_argument("--samples", type=int, default=5000, help="scored, against as many training images")
    arguments.add_argument("--grids", type=Path, help="folder for a grid of samples of each")
    arguments.add_argument("--quick", action="store_true", help="20 seconds, 500 samples")
    arguments.add_argument("--json", type=Path, help="write the rows to this file")
    options = arguments.parse_args()
    seconds, samples = (20.0, 500) if options.quick else (options.seconds, options.samples)
    prepared, width = options.prepared, options.width
    image = read_manifest(prepared).spec.field("image", ImageField)
    if (image.channels, image.size) != (3, 32):
        raise SystemExit(f"{prepared} holds {image.description}; SNGAN's pair here is for RGB images of 32 x 32")
    recipe = of_width(load_recipe(options.recipe), width)
    same_turns = recipe.model_copy(update={"turns": {"discriminator": PEER_TURNS}})
    rows = []
    with ExitStack() as children:
        sides = [
            children.enter_context(closing(OwnProcess(1, paced, *side)))
            for side in ((Ours, prepared, same_turns), (Peer, prepared, width))
        ]
        mine, other = (side.name for side in sides)
        if mine.split(";")[1] != other.split(";")[1]:
            raise SystemExit(f"the networks differ: {mine}, {other}")
        rate = alternate({side.name: partial(side.measure, 2) for side in sides}, 3 if options.quick else 9)
    name = f"SNGAN of width {width}, {PEER_TURNS} turns each"
    rows.append(Row(name, rate[mine], "images/s", other, rate[other], rate[mine] / rate[other], 3.0))
    if seconds:
        with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
            trainings = {
                "ours": pool.submit(train_ours, prepared, recipe, seconds, samples),
                "torch-mimicry": pool.submit(train_peer, prepared, width, seconds, samples),
            }
            extractor, real = EfficientNetLite0(), read_packed(prepared, "train")["image"]
            against = _statistics(real[draw(len(real), samples, 0)], extractor)
            distances = {}
            for name, training in trainings.items():
                kimg, images = training.result()
                distances[name] = frechet_distance(_statistics(images, extractor), against)
                print(f"  {name:<14} {kimg:8.1f} kimg  FID (efficientnet-lite0) {distances[name]:.2f}", flush=True)
                if options.grids is not None:
                    save_png(image_grid(images[:64], columns=8), options.grids / f"{name}.png")
        ours, theirs = distances.values()
        name = f"SNGAN of width {width}, {seconds:g} seconds of a processor"
        rows.append(Row(name, ours, "FID (efficientnet-lite0)", "torch-mimicry", theirs, theirs / ours, 3.0))
    report(rows, options.json)


if __name__ == "__main__":
    main()
