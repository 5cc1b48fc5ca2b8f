"""Training on a device that is not the CPU: nothing is mixed up between the two, and nothing needs float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from second_device import There, second_device
from tiny_training import StopAfter, digits, make_job, run, save_model, shrunk, weights

from ganops.data.derived.jpeg import Jpeg
from ganops.errors import TrainingError
from ganops.games.sampling import HeldOut
from ganops.networks.biggan import truncated
from ganops.recipe import Recipe
from ganops.training.hardware import Hardware
from ganops.training.trainer import Trainer

# Convolutions and averages, truncated latents, derived columns, several optimisers, paths, augmentation, frozen parts.
QUICK, SLOW = ("dcgan", "denoise", "vae-mixture", "transfer"), ("biggan", "stylegan2", "stylegan2-ada")


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    with second_device(monkeypatch) as device:
        yield device


def trainer_on(device: torch.device, folder: Path, recipe: Recipe) -> Trainer:
    start = save_model(folder / "start", recipe) if recipe.init else None
    job = make_job(recipe, start=start, checkpoint_seconds=1e9, sample_times=6)
    hardware = Hardware(device, torch.float32, compiled=False)
    return job.build([digits()], folder / "run", held_out=HeldOut(digits(64), job.spec), hardware=hardware)


def test_the_device_is_as_strict_as_a_gpu(device: torch.device) -> None:
    there = torch.ones(2, device=device)
    assert (there + torch.tensor(1.0)).tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="two devices"):
        there + torch.ones(2)
    with pytest.raises(TypeError, match="no float64"):
        there.double()


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_a_training_is_stopped_and_resumed_there(name: str, device: torch.device, tmp_path: Path) -> None:
    """Sample grids before and after the stop, whose movement is measured between them."""
    recipe = shrunk(name, kimg=0.016 * 4)
    with pytest.raises(TrainingError) as stopped:
        run(trainer_on(device, tmp_path, recipe), StopAfter(2))
    assert stopped.value.code == "interrupted"
    trainer = run(trainer_on(device, tmp_path, recipe))
    assert trainer.step == trainer.plan.steps
    assert all(isinstance(tensor, There) for tensor in weights(trainer).values())
    assert all(bool(torch.isfinite(tensor).all()) for tensor in weights(trainer).values())


@pytest.mark.parametrize(
    "make",
    [
        lambda images: Jpeg(quality=(20, 80)).derive(images),
        lambda images: truncated(images.flatten(1), 0.5),
    ],
    ids=["jpeg", "truncated latents"],
)
def test_what_needs_float64_is_computed_on_the_cpu(
    make: Callable[[torch.Tensor], torch.Tensor], device: torch.device
) -> None:
    images = torch.linspace(-1, 1, 3 * 16 * 16).view(1, 3, 16, 16).repeat(4, 1, 1, 1)
    found = make(images.to(device))
    assert isinstance(found, There)
    assert (found.dtype, found.shape) == (torch.float32, make(images).shape)


def test_a_training_there_learns_what_one_on_the_cpu_learns(device: torch.device, tmp_path: Path) -> None:
    recipe = shrunk("mlp", kimg=0.016 * 6)
    there = weights(run(trainer_on(device, tmp_path / "there", recipe)))
    here = weights(run(trainer_on(torch.device("cpu"), tmp_path / "here", recipe)))
    assert all(torch.equal(there[name].cpu(), tensor) for name, tensor in here.items())
