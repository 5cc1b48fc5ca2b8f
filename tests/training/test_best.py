"""The best step: the weights of the best value, the same through stops and crashes; validation changes nothing else."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import MeanImage, StopAfter, make_trainer, run, shrunk, weights
from torch import Tensor

from ganops.errors import TrainingError
from ganops.recipe import Recipe
from ganops.training.best import Best, Weights
from ganops.training.callback import Callback
from ganops.training.checkpoint import flatten, unflatten
from ganops.training.history import Row
from ganops.training.summary import summarise
from ganops.training.trainer import Trainer


class CrashAt(Callback):
    """Ends the training without a checkpoint at one step, after its validation."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_log(self, row: Row) -> None:
        if row["step"] == self.step:
            raise RuntimeError("pulled the plug")


def flat(weights: Weights) -> dict[str, Tensor]:
    return {f"{network}.{name}": tensor for network, state in weights.items() for name, tensor in state.items()}


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert not different, f"these differ: {different}"


def validated(folder: Path, recipe: Recipe, **more: Any) -> Trainer:
    """A trainer of the recipe that validates at steps 6, 12, 18, 24 and 30."""
    return make_trainer(folder, recipe, **({"validation": MeanImage(), "checkpoint_seconds": 1e9} | more))


def recipe(name: str = "mlp", **changes: Any) -> Recipe:
    return shrunk(name, kimg=0.48, **changes)


def test_the_lowest_value_is_kept_and_the_first_of_equals() -> None:
    best, weight = Best(), torch.zeros(2)
    for step, value in enumerate([3.0, 1.0, 2.0, 1.0], start=1):
        weight.fill_(step)
        best.update(step, value, {"generator": {"weight": weight}})
    assert (best.step, best.value) == (2, 1.0)
    assert best.weights["generator"]["weight"].tolist() == [2, 2], "a copy, which training does not move"


def test_where_higher_is_better_the_highest_value_is_kept() -> None:
    best = Best("higher")
    for step, value in enumerate([1.0, 3.0, 2.0, 3.0], start=1):
        best.update(step, value, {"generator": {"weight": torch.ones(1)}})
    assert (best.step, best.value) == (2, 3.0)


@pytest.mark.parametrize("values", [[], [5.0]])
def test_the_best_survives_a_checkpoint(values: list[float]) -> None:
    best, again = Best(), Best()
    for value in values:
        best.update(7, value, {"generator": {"weight": torch.ones(3)}})
    tensors, facts = flatten(best.state())
    again.load(unflatten(facts, tensors))
    assert again.step == (7 if values else 0)
    assert again.value == 5.0 if values else math.isnan(again.value)
    assert_same(flat(again.weights), flat(best.weights))


def test_the_selected_weights_are_those_of_the_step_with_the_lowest_value(tmp_path: Path) -> None:
    """A training that stops at the best step, without any validation, has the same weights."""
    trainer = run(validated(tmp_path / "whole", recipe()))
    scores = {int(row["step"]): row["mean_image"] for row in trainer.history if "mean_image" in row}
    assert list(scores) == [6, 12, 18, 24, 30]
    assert trainer.best.value == min(scores.values()) == scores[trainer.best.step]
    assert len(set(scores.values())) == 5
    stopped = make_trainer(tmp_path / "stopped", recipe())
    if trainer.best.step < 30:
        with pytest.raises(TrainingError):
            run(stopped, StopAfter(trainer.best.step))
    else:
        run(stopped)
    assert_same(flat(trainer.weights()), flat(stopped.weights()))


@pytest.mark.parametrize(
    ("name", "changes"),
    [("dcgan", {}), ("dcgan", {"ema": None, "flip": True}), ("stylegan2-ada", {"ema": None, "flip": True})],
)
def test_validation_changes_nothing_else(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    """Batch norms, noise, flips and running statistics continue as if there were no validation."""
    with_values = run(validated(tmp_path / "with", recipe(name, **changes)))
    without = run(validated(tmp_path / "without", recipe(name, **changes), validation=None))
    assert_same(weights(with_values), weights(without))
    rest = [{key: value for key, value in row.items() if key != "mean_image"} for row in with_values.history]
    assert rest == without.history


@pytest.mark.parametrize("changes", [{}, {"ema": None}], ids=["averaged", "not averaged"])
def test_stopped_and_crashed_it_finds_the_same_best_step(changes: dict[str, Any], tmp_path: Path) -> None:
    """Stops at steps 7 and 14 and crashes at 12 and 24, when a value has been computed but not saved."""
    whole = run(validated(tmp_path / "whole", recipe("dcgan", **changes)))
    parts = tmp_path / "parts"
    with pytest.raises(TrainingError):
        run(validated(parts, recipe("dcgan", **changes)), StopAfter(7))
    with pytest.raises(RuntimeError):
        run(validated(parts, recipe("dcgan", **changes), callback=CrashAt(12)))
    with pytest.raises(TrainingError):
        run(validated(parts, recipe("dcgan", **changes)), StopAfter(7))
    with pytest.raises(RuntimeError):
        run(validated(parts, recipe("dcgan", **changes), callback=CrashAt(24)))
    resumed = run(validated(parts, recipe("dcgan", **changes)))
    assert_same(weights(resumed), weights(whole))
    assert resumed.history == whole.history
    assert (resumed.best.step, resumed.best.value) == (whole.best.step, whole.best.value)
    assert_same(flat(resumed.best.weights), flat(whole.best.weights))


def test_the_recipe_says_which_weights_are_selected(tmp_path: Path) -> None:
    """With the metric negated the best step differs from the last, which is taken where there is no validation."""

    class Upwards(MeanImage):
        def __call__(self, game: Any) -> float:
            time.sleep(0.01)  # seconds are rounded to hundredths
            return -super().__call__(game)

    trainers = {
        select: run(validated(tmp_path / select, recipe(select=select), validation=Upwards()))
        for select in ("best", "last")
    }
    unscored = run(validated(tmp_path / "unscored", recipe(), validation=None))
    assert trainers["best"].best.step < 30
    assert_same(flat(trainers["best"].weights()), flat(trainers["last"].best.weights))
    assert_same(flat(trainers["last"].weights()), flat(unscored.weights()))
    assert not torch.equal(*(trainers[select].weights()["generator"]["layers.0.weight"] for select in ("best", "last")))
    facts = {select: summarise(trainer, "mlp") for select, trainer in trainers.items()}
    assert {select: fact["selected"] for select, fact in facts.items()} == {"best": "best", "last": "last"}
    assert facts["best"]["mean_image_best"] < facts["best"]["mean_image_last"]
    assert facts["best"]["mean_image_best_step"] == trainers["best"].best.step
    assert 0 < facts["best"]["mean_image_seconds"] < facts["best"]["seconds"]
    assert summarise(unscored, "mlp")["selected"] == "last"
    assert not [key for key in summarise(unscored, "mlp") if "best" in key]
