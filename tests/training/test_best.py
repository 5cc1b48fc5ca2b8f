"""The best step promises: the weights of the lowest score, the same through stops and crashes, at no other change."""

from __future__ import annotations

import math
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
    """Ends the training without a checkpoint in one round, after its score has been taken."""

    def __init__(self, step: int) -> None:
        self.step = step

    def row(self, row: Row) -> None:
        if row["step"] == self.step:
            raise RuntimeError("pulled the plug")


def flat(weights: Weights) -> dict[str, Tensor]:
    return {f"{network}.{name}": tensor for network, state in weights.items() for name, tensor in state.items()}


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert not different, f"these differ: {different}"


def scored(folder: Path, recipe: Recipe, **more: Any) -> Trainer:
    """A trainer of the recipe that scores in the rounds 6, 12, 18, 24 and 30."""
    return make_trainer(folder, recipe, **({"scorer": MeanImage(), "checkpoint_seconds": 1e9} | more))


def recipe(name: str = "mlp", **changes: Any) -> Recipe:
    return shrunk(name, kimg=0.48, **changes)


def test_the_lowest_score_is_kept_and_the_first_of_equals() -> None:
    best, weight = Best(), torch.zeros(2)
    for step, score in enumerate([3.0, 1.0, 2.0, 1.0], start=1):
        weight.fill_(step)
        best.see(step, score, {"generator": {"weight": weight}})
    assert (best.step, best.score) == (2, 1.0)
    assert best.weights["generator"]["weight"].tolist() == [2, 2], "a copy, which training does not move"


@pytest.mark.parametrize("scores", [[], [5.0]])
def test_the_best_survives_a_checkpoint(scores: list[float]) -> None:
    best, again = Best(), Best()
    for score in scores:
        best.see(7, score, {"generator": {"weight": torch.ones(3)}})
    tensors, facts = flatten(best.state())
    again.load(unflatten(facts, tensors))
    assert (again.step, again.score) == ((7, 5.0) if scores else (0, math.inf))
    assert_same(flat(again.weights), flat(best.weights))


def test_the_delivered_weights_are_those_of_the_step_with_the_lowest_score(tmp_path: Path) -> None:
    """The best step, and what its weights are, found again by trainings that end there without any scoring."""
    trainer = run(scored(tmp_path / "whole", recipe()))
    scores = {int(row["step"]): row["mean_image"] for row in trainer.history if "mean_image" in row}
    assert list(scores) == [6, 12, 18, 24, 30]
    assert trainer.best.score == min(scores.values()) == scores[trainer.best.step]
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
def test_scoring_changes_nothing_else(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    """Batch norms, noise, flips and running statistics go on as if nobody had looked."""
    with_scores = run(scored(tmp_path / "with", recipe(name, **changes)))
    without = run(scored(tmp_path / "without", recipe(name, **changes), scorer=None))
    assert_same(weights(with_scores), weights(without))
    rest = [{key: value for key, value in row.items() if key != "mean_image"} for row in with_scores.history]
    assert rest == without.history


@pytest.mark.parametrize("changes", [{}, {"ema": None}], ids=["averaged", "not averaged"])
def test_stopped_and_crashed_it_comes_to_the_same_best_step(changes: dict[str, Any], tmp_path: Path) -> None:
    """Stops in rounds 7 and 14 and crashes in 12 and 24, when a score is taken but not saved."""
    whole = run(scored(tmp_path / "whole", recipe("dcgan", **changes)))
    parts = tmp_path / "parts"
    with pytest.raises(TrainingError):
        run(scored(parts, recipe("dcgan", **changes)), StopAfter(7))
    with pytest.raises(RuntimeError):
        run(scored(parts, recipe("dcgan", **changes), observer=CrashAt(12)))
    with pytest.raises(TrainingError):
        run(scored(parts, recipe("dcgan", **changes)), StopAfter(7))
    with pytest.raises(RuntimeError):
        run(scored(parts, recipe("dcgan", **changes), observer=CrashAt(24)))
    resumed = run(scored(parts, recipe("dcgan", **changes)))
    assert_same(weights(resumed), weights(whole))
    assert resumed.history == whole.history
    assert (resumed.best.step, resumed.best.score) == (whole.best.step, whole.best.score)
    assert_same(flat(resumed.best.weights), flat(whole.best.weights))


def test_the_recipe_says_which_weights_are_delivered(tmp_path: Path) -> None:
    """Scored upside down the best step is another than the last, which without a score is all there is."""

    class Upwards(MeanImage):
        def __call__(self, game: Any) -> float:
            return -super().__call__(game)

    trainers = {
        deliver: run(scored(tmp_path / deliver, recipe(select=deliver), scorer=Upwards()))
        for deliver in ("best", "last")
    }
    unscored = run(scored(tmp_path / "unscored", recipe(), scorer=None))
    assert trainers["best"].best.step < 30
    assert_same(flat(trainers["best"].weights()), flat(trainers["last"].best.weights))
    assert_same(flat(trainers["last"].weights()), flat(unscored.weights()))
    assert not torch.equal(
        *(trainers[deliver].weights()["generator"]["layers.0.weight"] for deliver in ("best", "last"))
    )
    facts = {deliver: summarise(trainer, "mlp") for deliver, trainer in trainers.items()}
    assert {deliver: fact["selected"] for deliver, fact in facts.items()} == {"best": "best", "last": "last"}
    assert facts["best"]["mean_image_best"] < facts["best"]["mean_image_last"]
    assert facts["best"]["mean_image_best_step"] == trainers["best"].best.step
    assert 0 < facts["best"]["mean_image_seconds"] < facts["best"]["seconds"]
    assert summarise(unscored, "mlp")["selected"] == "last"
    assert not [key for key in summarise(unscored, "mlp") if "best" in key]
