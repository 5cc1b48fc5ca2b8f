"""What `make gpu-check` does on a GPU, part by part: each returns rows of its table.

Every part runs on a CPU at tiny sizes too, so that its own mistakes are found without a GPU.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from plain_loop import PlainLoop
from tiny_training import SMALL, StopAfter, run, weights

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import TrainingError
from ganops.evaluation.extractors.efficientnet import EfficientNetLite0
from ganops.evaluation.frechet import frechet_distance
from ganops.evaluation.precision import full_float32
from ganops.evaluation.statistics import statistics_of
from ganops.games.sampling import sample_outputs
from ganops.games.unconditional import Unconditional
from ganops.params import TrainParams
from ganops.recipe import Recipe, find_recipe, load_recipe
from ganops.training import batches
from ganops.training.batches import StreamedRows
from ganops.training.graphs.captured_steps import CapturedSteps
from ganops.training.hardware import can_compile
from ganops.training.job import TrainingJob
from ganops.training.trainer import Trainer
from ganops.workspace import WORKSPACE

EVALUATION_TOLERANCE = 1e-3  # of a Frechet distance, between devices
CLASSES = tuple("0123456789")


@dataclass(frozen=True)
class Row:
    """One finding. ok: whether it is as it has to be; None for a mere measurement. ratio: to a baseline."""

    what: str
    value: float | str
    unit: str = ""
    ok: bool | None = None
    baseline: str = ""
    ratio: float | None = None


@dataclass(frozen=True)
class Bench:
    """Where and how large. tiny: small networks and few steps."""

    device: torch.device
    folder: Path
    tiny: bool = False

    @property
    def pixels(self) -> int:
        """The size of images where the recipe has none of its own."""
        return 16 if self.tiny else 32

    def rows(self, spec: DataSpec) -> Rows:
        """Enough to train on; at most 256 MiB."""
        return random_rows(spec, 128 if self.tiny else min(4096, (1 << 28) // (3 * pixels_of(spec) ** 2)))

    def recipe(self, name: str, **changes: Any) -> Recipe:
        """A shipped recipe or preset; `changes` replace whole sections."""
        recipe = load_recipe(find_recipe(name, WORKSPACE.recipes))
        if self.tiny:
            networks = {
                part: {key: _smaller(key, value) for key, value in section.items()}
                for part, section in recipe.networks.items()
            }
            size = recipe.image_size if any("widths" in section for section in networks.values()) else None
            changes = {"batch_size": 16, "networks": networks, "image_size": size} | changes
        return recipe.model_copy(update=changes)

    def trainer(self, recipe: Recipe, name: str, *, steps: int, pixels: int, **params: Any) -> Trainer:
        """A trainer of so many steps on random images, as the train stage builds it."""
        turns = recipe.turns.get("discriminator", 1)
        recipe = recipe.model_copy(update={"budget_kimg": steps * turns * recipe.batch_size / 1000})
        settings = {"device": self.device.type, "compile": "never", "sample_images": 16, "sample_times": 2}
        spec = spec_of(recipe, pixels)
        job = TrainingJob(name, recipe, TrainParams(**{**settings, "checkpoint_seconds": 1e9, **params}), 0, spec, "")
        return job.build([self.rows(spec)], self.folder / name)

    def synchronize(self) -> None:
        """Wait for all work that was given to the device."""
        if self.device.type != "cpu":
            torch.accelerator.synchronize()


def _smaller(key: str, value: Any) -> Any:
    return [8] * len(value) if key == "widths" else {**SMALL, "widths": value}.get(key, value)


def spec_of(recipe: Recipe, pixels: int) -> DataSpec:
    """Colour images with ten classes, used or not."""
    image = ImageField(channels=3, size=recipe.image_size or pixels)
    return DataSpec(fields={"image": image, "label": CategoryField(classes=CLASSES)})


def pixels_of(spec: DataSpec) -> int:
    """The height and width of its images."""
    return spec.fields["image"].shape[1]


def random_rows(spec: DataSpec, count: int) -> Rows:
    """Smooth random images, the same in every process."""
    draw = torch.Generator().manual_seed(1)
    small = torch.rand(count, 3, 8, 8, generator=draw)
    large = torch.nn.functional.interpolate(small, size=pixels_of(spec), mode="bilinear")
    return Rows({"image": (large * 255).to(torch.uint8), "label": torch.arange(count) % len(CLASSES)})


def resume(bench: Bench) -> Iterator[Row]:
    """Trainings that are stopped twice end with the bits of one that is not stopped; graphs and precision as chosen."""
    steps = 6 if bench.tiny else 40
    for name in ("dcgan", "cgan", "stylegan2-ada", "r3gan", "biggan")[: 1 if bench.tiny else 5]:
        recipe = bench.recipe(name)
        whole = run(bench.trainer(recipe, f"whole-{name}", steps=steps, pixels=bench.pixels))
        for stop in (steps // 3, steps // 3, 1 << 30):
            parts = bench.trainer(recipe, f"parts-{name}", steps=steps, pixels=bench.pixels)
            with suppress(TrainingError):  # "interrupted"; others show in the weights
                run(parts, StopAfter(stop))
        wanted, found = weights(whole), weights(parts)
        different = [key for key in wanted if not torch.equal(wanted[key], found[key])]
        yield Row(f"resume {name}, {whole.hardware.precision_name}", len(different), "tensors differ", not different)


def graphs(bench: Bench) -> Iterator[Row]:
    """Captured steps learn what eager ones learn; work that cannot be captured is refused and training continues."""
    for precision in ("float32", "auto"):
        for name in ("dcgan", "stylegan2-ada", "r3gan")[: 1 if bench.tiny else 3]:
            yield _captured(bench, name, precision)

    def reads_back(self: Unconditional, player: str, batch: Rows, step: int, micro_batch: int = 0) -> Any:
        found = usual(self, player, batch, step, micro_batch)
        return type(found)(
            {key: value * float(value.detach() > -1e9) for key, value in found.losses.items()}, found.logs
        )

    usual = Unconditional.losses
    with patch.object(Unconditional, "losses", reads_back):
        eager = run(
            bench.trainer(bench.recipe("dcgan"), "eager-refused", steps=10, pixels=bench.pixels, graphs="never")
        )
        refused = run(bench.trainer(bench.recipe("dcgan"), "refused", steps=10, pixels=bench.pixels))
    reason = refused.stepper.capture.refused if isinstance(refused.stepper.capture, CapturedSteps) else "not tried"
    yield Row("a capture that must fail", reason or "was not refused", ok=bool(reason) and same(eager, refused))
    yield _captured(bench, "dcgan", "float32", "after a refused one, ")


def _captured(bench: Bench, name: str, precision: str, prefix: str = "") -> Row:
    recipe, steps = bench.recipe(name), 10 if bench.tiny else 90  # lazy terms come every sixteenth step
    eager = run(
        bench.trainer(
            recipe,
            f"e-{prefix}{name}-{precision}",
            steps=steps,
            pixels=bench.pixels,
            graphs="never",
            precision=precision,
        )
    )
    trainer = run(
        bench.trainer(recipe, f"c-{prefix}{name}-{precision}", steps=steps, pixels=bench.pixels, precision=precision)
    )
    capture = trainer.stepper.capture
    words = f"{capture.proven} in use {capture.refused}" if isinstance(capture, CapturedSteps) else "none"
    ok = same(eager, trainer) and isinstance(capture, CapturedSteps) and not capture.refused and capture.proven > 0
    return Row(f"{prefix}graphs {name}, {trainer.hardware.precision_name}", words, ok=ok)


def streamed(bench: Bench) -> Iterator[Row]:
    """Data that stay on the host give the same weights, and what was prefetched is what is used."""
    steps = 8 if bench.tiny else 40
    for parts in (1, 4):
        recipe = bench.recipe("dcgan", micro_batches=parts)
        resident = bench.trainer(recipe, f"resident-{parts}", steps=steps, pixels=bench.pixels)
        run(resident)
        with patch.object(batches, "fits", lambda _rows, _device: False):
            stream = bench.trainer(recipe, f"streamed-{parts}", steps=steps, pixels=bench.pixels)
        run(stream)
        sources = [each.source for each in stream.batches.streams]
        hits = sum(source.hits for source in sources if isinstance(source, StreamedRows))
        ok = same(resident, stream) and hits == steps * parts - 1
        yield Row(f"streamed data, {parts} micro-batches", f"{hits} of {steps * parts} batches prefetched", ok=ok)


def evaluation(bench: Bench) -> Iterator[Row]:
    """Features, Frechet distances and generated images of the device against the CPU's."""
    torch.manual_seed(0)
    torch.set_num_threads(1 if bench.tiny else os.cpu_count() or 1)
    images, weight = torch.randn(16, 64, 32, 32), torch.randn(64, 64, 3, 3)
    exact = torch.nn.functional.conv2d(images.double(), weight.double())
    with full_float32():
        cudnn = torch.backends.cudnn.enabled
        found = torch.nn.functional.conv2d(images.to(bench.device), weight.to(bench.device)).cpu()
    error = float((found - exact).abs().max() / exact.abs().max())
    yield Row("a convolution in full float32", error, "relative error", cudnn and error < 1e-5)
    count = 8 if bench.tiny else 500
    halves = random_rows(spec_of(bench.recipe("dcgan"), bench.pixels), 2 * count)["image"].split(count)
    distances, seconds = dict[str, float](), dict[str, float]()
    for device in (torch.device("cpu"), bench.device):
        extractor = EfficientNetLite0(device=device)
        extractor(halves[0][:8])
        began = time.perf_counter()
        sides = [statistics_of(extractor(part).features for part in half.split(250)) for half in halves]
        seconds[device.type] = time.perf_counter() - began
        distances[device.type] = frechet_distance(*sides)
    difference = abs(distances[bench.device.type] / distances["cpu"] - 1)
    yield Row("Frechet distance (efficientnet)", difference, "relative to the CPU's", difference < EVALUATION_TOLERANCE)
    speed = {kind: 2 * count / each for kind, each in seconds.items()}
    yield _compared("features (efficientnet)", speed[bench.device.type], "the CPU", speed["cpu"])
    for name in ("dcgan", "stylegan2", "biggan")[: 1 if bench.tiny else 3]:
        trainer = run(bench.trainer(bench.recipe(name), f"generate-{name}", steps=4, pixels=bench.pixels))
        game = trainer.ema.game.eval()
        with full_float32():
            there = sample_outputs(game, 64, seed=3)["image"].int()
            here = sample_outputs(game.cpu(), 64, seed=3)["image"].int()
        most = int((there - here).abs().max())
        yield Row(f"images of {name} against the CPU's", most, "grey levels at most", most <= 1)


def throughput(bench: Bench, name: str, batch_size: int | None = None, **changes: Any) -> Iterator[Row]:
    """Our training in float32 and as chosen, against the plain loop of the same networks and losses."""
    recipe = bench.recipe(name, **changes)
    if batch_size and not bench.tiny:
        recipe = recipe.model_copy(update={"batch_size": batch_size})
    pixels = recipe.image_size or bench.pixels
    seconds = 0.2 if bench.tiny else 6.0
    spec = spec_of(recipe, pixels)
    with PlainLoop(recipe, spec, bench.rows(spec), bench.device, 0 if bench.tiny else 4) as loop:
        plain = rate(loop.step, bench, seconds, recipe.batch_size * recipe.turns.get("discriminator", 1))
    what = f"{name}, {pixels} px, batch {recipe.batch_size}"
    yield Row(f"{what}: plain loop, DataLoader", plain, "images/s")
    for precision in ("float32", "auto"):
        trainer = bench.trainer(recipe, f"{name}-{precision}", steps=100_000, pixels=pixels, precision=precision)
        began = time.monotonic()
        while not _settled(trainer) and time.monotonic() - began < (0.2 if bench.tiny else 15):
            trainer.run_step()
        ours = rate(trainer.run_step, bench, seconds, trainer.plan.images_per_step)
        capture = trainer.stepper.capture
        words = f"{capture.proven} graphs {capture.refused}" if isinstance(capture, CapturedSteps) else "no graphs"
        yield _compared(f"{what}: ours, {trainer.hardware.precision_name}, {words}", ours, "plain loop", plain)
        del trainer


def _settled(trainer: Trainer) -> bool:
    """Whether all steps that may be captured are."""
    keys = {trainer.game.graph_key(trainer.step + ahead) for ahead in range(64)} - {None}
    capture = trainer.stepper.capture
    return trainer.step >= 8 and (
        not isinstance(capture, CapturedSteps) or bool(capture.refused) or capture.proven >= len(keys)
    )


def compiled(bench: Bench) -> Iterator[Row]:
    """Compiled networks train, and how fast."""
    if not can_compile(bench.device):
        yield Row("torch.compile", "there is no compiler")
        return
    recipe, rates = bench.recipe("dcgan"), dict[str, float]()
    for how in ("never", "always"):
        trainer = bench.trainer(recipe, f"compile-{how}", steps=100_000, pixels=bench.pixels, compile=how)
        for _ in range(4 if bench.tiny else 12):
            trainer.run_step()
        rates[how] = rate(trainer.run_step, bench, 0.2 if bench.tiny else 3.0, trainer.plan.images_per_step)
    finite = all(bool(torch.isfinite(tensor).all()) for tensor in weights(trainer).values())
    row = _compared(f"dcgan, {bench.pixels} px: compiled", rates["always"], "not compiled", rates["never"])
    yield Row(row.what, row.value, row.unit, finite, row.baseline, row.ratio)


def same(one: Trainer, other: Trainer) -> bool:
    """Whether two trainings have the same weights and averages, bit for bit."""
    wanted, found = weights(one), weights(other)
    return all(torch.equal(wanted[key], found[key]) for key in wanted)


def rate(step: Callable[[], Any], bench: Bench, seconds: float, images: int) -> float:
    """Images per second of steps over some seconds, the first ones not counted."""
    for _ in range(3):
        step()
    bench.synchronize()
    began, steps = time.perf_counter(), 0
    while steps < 3 or time.perf_counter() - began < seconds:
        step()
        steps += 1
        if steps % 10 == 0:
            bench.synchronize()
    bench.synchronize()
    return steps * images / (time.perf_counter() - began)


def _compared(what: str, value: float, baseline: str, baseline_value: float) -> Row:
    return Row(what, value, "images/s", baseline=f"{baseline}: {baseline_value:,.0f}", ratio=value / baseline_value)


_R3GAN = load_recipe(find_recipe("r3gan-cifar", WORKSPACE.recipes))
R3GAN: dict[str, Any] = {
    "game": {**_R3GAN.game, "penalty": {"kind": "r1-r2", "weight": 0.05}, "augment": None},
    "optimizers": {
        name: each.model_copy(update={"last_lr": 0.0, "last_betas": None, "schedule": "constant"})
        for name, each in _R3GAN.optimizers.items()
    },
}

Part = Callable[[Bench], Iterator[Row]]
PARTS: dict[str, Part] = {
    "resume": resume,
    "graphs": graphs,
    "streamed": streamed,
    "evaluation": evaluation,
    "dcgan": lambda bench: throughput(bench, "dcgan"),
    "dcgan-64": lambda bench: throughput(bench, "dcgan-64"),
    "stylegan2-256": lambda bench: throughput(bench, "stylegan2-ada-256", 16),
    # With constant penalty, augmentation and betas: what moves from step to step cannot be captured.
    "r3gan": lambda bench: throughput(bench, "r3gan-cifar", 128, **R3GAN),
    "compiled": compiled,
}
