"""Stages: who plays when follows from the step alone, survives stops, and is seen by selection, health and capture."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import SPEC, MeanImage, StopAfter, make_trainer, run, shrunk, weights
from torch import Tensor

from ganops.errors import SettingsError, TrainingError
from ganops.games.build import build_game
from ganops.games.game import Game
from ganops.games.stage import Stage, stage_ends
from ganops.games.unconditional import Unconditional
from ganops.params import TrainParams
from ganops.training.graphs.captured_steps import CapturedSteps
from ganops.training.health import Health
from ganops.training.plan import make_plan
from ganops.training.trainer import Trainer

ALONE, BOTH = Stage(0.5, ("generator",)), Stage(0.5, ("generator", "discriminator"))


def begin(game: Game, averaged: Game) -> None:
    """Continue from the averaged weights, as super-resolution does."""
    for name in game.ema_networks:
        game.get_submodule(name).load_state_dict(averaged.get_submodule(name).state_dict())


@pytest.fixture
def in_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain game with the generator alone in the first half, then from its average with both players."""
    monkeypatch.setattr(Unconditional, "stages", (ALONE, BOTH))
    monkeypatch.setattr(Unconditional, "on_stage_begin", begin)


def trainer_of(folder: Path, **more: Any) -> Trainer:
    """30 steps of which 15 belong to each stage; validations at 6, 12, 18, 24 and 30."""
    return make_trainer(folder, shrunk("dcgan", kimg=0.48), **({"checkpoint_seconds": 1e9} | more))


@pytest.mark.parametrize(
    ("shares", "steps", "ends"),
    [
        ((), 10, (10,)),
        ((0.5, 0.5), 15, (8, 15)),
        ((0.3, 0.3, 0.4), 100, (30, 60, 100)),
        ((0.99, 0.01), 10, (9, 10)),
        ((0.01, 0.99), 10, (1, 10)),
        ((0.3, 0.3, 0.4), 2, (1, 2, 2)),
    ],
)
def test_shares_become_steps_and_every_stage_has_one_where_there_are_enough(
    shares: tuple[float, ...], steps: int, ends: tuple[int, ...]
) -> None:
    assert stage_ends([Stage(share, ("generator",)) for share in shares], steps) == ends


def test_the_plan_knows_the_stage_of_every_step() -> None:
    plan = make_plan(shrunk("dcgan", kimg=0.16), TrainParams(), "discriminator", (ALONE, BOTH))
    assert [plan.stage(step) for step in range(plan.steps)] == [0] * 5 + [1] * 5
    assert [step for step in range(plan.steps + 1) if plan.in_last_stage(step)] == [6, 7, 8, 9, 10]
    short = make_plan(
        shrunk("dcgan", kimg=0.032), TrainParams(), "discriminator", (ALONE, Stage(0.2, ALONE.players), BOTH)
    )
    assert short.in_last_stage(short.steps), "a training of fewer steps than stages selects its last step"


@pytest.mark.parametrize(
    "stages",
    [
        (ALONE,),
        (ALONE, Stage(0.5, ("referee",))),
        (Stage(1.0, ()),),
        (Stage(1.5, ALONE.players), Stage(-0.5, ALONE.players)),
    ],
)
def test_stages_that_make_no_sense_are_refused(stages: tuple[Stage, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Unconditional, "stages", stages)
    with pytest.raises(SettingsError) as caught:
        build_game(shrunk("dcgan"), SPEC)
    assert caught.value.code == "bad-stages"


@pytest.mark.usefixtures("in_stages")
def test_who_rests_is_left_alone_and_the_next_stage_begins_from_the_average(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[int, list[Tensor]]] = []
    monkeypatch.setattr(
        Unconditional,
        "on_stage_begin",
        lambda game, averaged: begun.append((game.stage, list(averaged.get_submodule("generator").parameters()))),
    )
    trainer = trainer_of(tmp_path, graphs="never")
    discriminator = trainer.game.get_submodule("discriminator")
    before = [weight.detach().clone() for weight in discriminator.parameters()]
    for _ in range(15):
        trainer.run_step()
    assert not trainer.optimizers["discriminator"].state, "no moments of an optimiser that took no step"
    assert all(torch.equal(weight, old) for weight, old in zip(discriminator.parameters(), before, strict=True))
    assert {name for name in trainer.curves.take() if name.endswith("/loss")} == {"generator/loss"}
    assert not begun
    trainer.run_step()
    ((stage, averaged),) = begun
    assert stage == 1
    own = trainer.ema.game.get_submodule("generator").parameters()
    assert all(one is other for one, other in zip(averaged, own, strict=True)), "it was given the averaged game"
    assert trainer.optimizers["discriminator"].state
    assert {"generator/loss", "discriminator/loss"} <= set(trainer.curves.take())


@pytest.mark.usefixtures("in_stages")
@pytest.mark.parametrize("stops", [(5,) * 5, (15,), (14, 2)])
def test_stopped_within_and_between_stages_it_ends_the_same(stops: tuple[int, ...], tmp_path: Path) -> None:
    """The whole training replays captured steps of both stages, the parts of five steps hardly any."""
    whole = run(trainer_of(tmp_path / "whole", validation=MeanImage()))
    assert isinstance(whole.stepper.capture, CapturedSteps)
    assert whole.stepper.capture.proven == 2, "one recording for each stage"
    for stop in (*stops, 30):
        part = trainer_of(tmp_path / "parts", validation=MeanImage())
        with contextlib.suppress(TrainingError):
            run(part, StopAfter(stop))
    different = [name for name, tensor in weights(whole).items() if not torch.equal(tensor, weights(part)[name])]
    assert not different
    assert part.history == whole.history
    assert part.best.step == whole.best.step


@pytest.mark.usefixtures("in_stages")
def test_only_steps_of_the_last_stage_can_be_the_best(tmp_path: Path) -> None:
    class Worsening(MeanImage):
        """Best at first: 6, 12 belong to the first stage, 18 is the first validation of the last."""

        value = 0.0

        def __call__(self, game: Game) -> float:
            self.value += 1
            return self.value

    trainer = run(trainer_of(tmp_path, validation=Worsening()))
    assert [row["step"] for row in trainer.history if "mean_image" in row] == [6, 12, 18, 24, 30]
    assert (trainer.best.step, trainer.best.value) == (18, 3.0)


def test_a_stage_with_smaller_gradients_is_not_a_discriminator_that_won() -> None:
    """A generator's gradient falls when its losses change; only a fall within a stage counts."""
    row, gradients = {"accuracy": 1.0}, [1.0] * 20 + [1e-3] * 20
    for told, expected in ((False, {"discriminator-won"}), (True, set())):
        health = Health(SPEC.fields["image"], 1.0, len(gradients))
        for step, gradient in enumerate(gradients):
            if told and step == 20:
                health.on_stage_begin()
            health.see_curves(step, row if step >= 20 else {}, gradient)
        assert health.active == expected
