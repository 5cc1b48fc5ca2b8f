"""What does not fit into memory, or into a picture, is known right after the data are prepared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from evaluated_home import RECIPE, SPEC

from ganops import memory_needs
from ganops.data.fields.image import ImageField
from ganops.data.fields.pictures import MOST_PIXELS, grid_size, most_in_grid, square
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.build import outline_game
from ganops.memory_needs import GIB, too_large, too_many_samples
from ganops.params import ClassifierParams, EvaluateParams, TrainParams
from ganops.recipe import Recipe
from ganops.settings import Settings, validate
from ganops.training.job import TrainingJob

HUGE = 1_000_000_000_000


def complaints(recipe: Recipe = RECIPE, spec: DataSpec = SPEC, available: int = 16 * GIB, **train: Any) -> list[str]:
    jobs = {"tiny": TrainingJob("tiny", recipe, TrainParams(**train), 7, spec, "d" * 64)}
    games = {"tiny": outline_game(recipe, spec, "tiny")}
    return [error.code for error in too_large(jobs, games, available)]


def test_a_training_on_the_cpu_has_the_memory_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=1 << 60))
    assert memory_needs.memory(gpu=True) == 1 << 60
    assert memory_needs.memory(gpu=False) < 1 << 60


def test_a_batch_that_does_not_fit_is_refused_unless_it_is_computed_in_parts() -> None:
    spec = DataSpec(fields={"image": ImageField(channels=3, size=64)})
    large = RECIPE.model_copy(update={"batch_size": 1_000_000})
    assert complaints(large, spec) == ["too-large"]
    assert complaints(large.model_copy(update={"micro_batches": 1000}), spec) == []
    assert complaints(spec=spec) == []


def test_a_sample_grid_that_nothing_opens_is_refused() -> None:
    spec = DataSpec(fields={"image": ImageField(channels=1, size=1024)})
    assert complaints(spec=spec, sample_images=64) == []
    assert complaints(spec=spec, sample_images=1024) == ["grid-too-large"]


@pytest.mark.parametrize("side", [8, 28, 32, 64, 1000, 1024])
def test_the_most_images_of_a_grid_are_what_a_picture_can_hold(side: int) -> None:
    most, drawn = most_in_grid(side, side), side * -(-56 // side)
    for count, fits in ((most, True), (most + square(most), False)):
        across, down = grid_size(count, square(count), drawn, drawn)
        assert (across * down <= MOST_PIXELS) is fits


def test_features_that_do_not_fit_are_refused() -> None:
    million = EvaluateParams(features="inception-v3", samples=1_000_000)
    (error,) = too_many_samples(million, 10, 16 * GIB)
    assert error.code == "too-large"
    assert not list(too_many_samples(million, 10, 64 * GIB))
    assert not list(too_many_samples(EvaluateParams(features="inception-v3", samples=50_000), 10, 4 * GIB))


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (EvaluateParams, "samples"),
        (EvaluateParams, "pairwise_samples"),
        (EvaluateParams, "batch_size"),
        (TrainParams, "validation_samples"),
        (TrainParams, "sample_images"),
        (TrainParams, "budget_scale"),
        (ClassifierParams, "epochs"),
        (ClassifierParams, "width"),
        (ClassifierParams, "batch_size"),
    ],
)
def test_numbers_that_no_machine_has_memory_or_time_for_are_refused(kind: type[Settings], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        validate(kind, {key: HUGE}, "params.yaml")
    assert caught.value.code == "bad-value"
    assert key in caught.value.message
