"""What recipes and settings need of the memory of this machine, as far as it is known before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import psutil
import torch

from ganops.data.fields.pictures import MOST_PIXELS, most_in_grid
from ganops.errors import GanopsError, SettingsError
from ganops.games.game import Game
from ganops.params import EvaluateParams
from ganops.training.job import TrainingJob

GIB = 1 << 30
COPIES = 5  # of each weight: itself, its gradient, Adam's two moments, the moving average
BYTES = 4
ROW_COPIES = 3  # of each row of a part of a batch, at the least: real, generated, and the gradient of that
FEATURE_COPIES = 2  # of each sample's features and logits: by batches, and together
FEATURES = {"classifier": 128, "inception-v3": 2048 + 1008, "efficientnet-lite0": 1280 + 1000}  # with logits
CGROUP = Path("/sys/fs/cgroup/memory.max")


def memory(*, gpu: bool) -> int:
    """Bytes that a training may take: of the GPU where it may use one and there is one, else of this machine."""
    if gpu and torch.cuda.is_available():
        return int(torch.cuda.get_device_properties(0).total_memory)
    limit = CGROUP.read_text().strip() if CGROUP.is_file() else ""
    return min(int(psutil.virtual_memory().total), int(limit) if limit.isdigit() else 1 << 62)


def weights_of(game: Game, network: str) -> int:
    """How many weights one network of a game has."""
    return sum(parameter.numel() for parameter in game.get_submodule(network).parameters())


def too_large(jobs: Mapping[str, TrainingJob], games: Mapping[str, Game], available: int) -> Iterator[GanopsError]:
    """Trainings whose weights, or whose batches alone, exceed the bytes `available`, and grids that nothing opens."""
    for recipe, game in games.items():
        weights = COPIES * BYTES * sum(weights_of(game, name) for name, _ in game.named_children())
        batch = jobs[recipe].recipe.batch_size // jobs[recipe].recipe.micro_batches
        rows = batch * ROW_COPIES * BYTES * sum(prod(field.shape) for field in jobs[recipe].spec.fields.values())
        if weights > available:
            yield _no_room(
                recipe,
                f"{weights / GIB:.1f} GiB for {weights / COPIES / BYTES / 1e6:,.0f} M weights in training",
                available,
                "set data.image_size lower, or width (widths, max_width) in the recipe",
            )
        elif rows > available:
            yield _no_room(
                f"a batch of {recipe}",
                f"{rows / GIB:,.1f} GiB for {batch:,} rows",
                available,
                f"set batch_size in the recipe below {max(3, batch * available // rows):,}, or more micro_batches",
            )
        yield from _grids(recipe, game, jobs[recipe].settings.sample_images)


def too_many_samples(params: EvaluateParams, classes: int, available: int) -> Iterator[GanopsError]:
    """Scores whose features exceed the bytes `available`. params: with every `auto` replaced."""
    per_sample = FEATURE_COPIES * BYTES * (FEATURES.get(params.features, 0) + classes)
    if params.samples * per_sample > available:
        yield _no_room(
            "evaluate.samples: all their features",
            f"{params.samples * per_sample / GIB:,.1f} GiB for {params.samples:,} samples",
            available,
            f"set evaluate.samples: {max(2, available // per_sample // 2)}",
        )


def _grids(recipe: str, game: Game, count: int) -> Iterator[GanopsError]:
    for shape in (field.shape for field in game.task.outputs.values() if len(field.shape) == 3):
        if count > (most := most_in_grid(*shape[1:])):
            yield SettingsError(
                f"train.sample_images: the sample grids of {recipe} are too large to be opened",
                code="grid-too-large",
                expected=f"at most {MOST_PIXELS / 1e6:,.0f} million pixels: {most:,} images of {shape[-1]} pixels",
                found=f"{count:,} images",
                action=f"set train.sample_images: {most}",
            )


def _no_room(what: str, found: str, available: int, action: str) -> SettingsError:
    return SettingsError(
        f"{what} cannot fit into memory",
        code="too-large",
        expected=f"at most {available / GIB:.1f} GiB",
        found=found,
        action=action,
    )
