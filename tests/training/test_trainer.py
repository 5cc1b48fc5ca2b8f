"""The loop promises: same seed, same bits; killed anywhere and resumed, still the same bits and curves."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import RECIPES, StopAfter, make_trainer, run, save_model, shrunk, weights
from torch import Tensor

from ganops.data.rows import Rows
from ganops.errors import TrainingError
from ganops.progress import Progress
from ganops.training.callback import Callback
from ganops.training.history import Row, write_history
from ganops.training.interruption import Interruption

SHIPPED = sorted(path.stem for path in RECIPES.glob("*.yaml"))


class Recorder(Callback):
    """Keeps what is reported, each step once, as a tracking run does."""

    def __init__(self) -> None:
        self.rows: dict[float, Row] = {}
        self.grids: dict[int, Tensor] = {}

    def on_log(self, row: Row) -> None:
        self.rows.setdefault(row["step"], row)

    def on_samples(self, step: int, rows: Rows) -> None:
        self.grids.setdefault(step, next(iter(rows.values())))


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert not different, f"these differ: {different}"


def test_training_moves_the_weights_and_another_seed_gives_others(tmp_path: Path) -> None:
    fresh = {name: tensor.clone() for name, tensor in weights(make_trainer(tmp_path / "a", shrunk("mlp"))).items()}
    trained = weights(run(make_trainer(tmp_path / "a", shrunk("mlp"))))
    other = weights(run(make_trainer(tmp_path / "b", shrunk("mlp"), seed=1)))
    name = "game.generator.layers.0.weight"
    assert not torch.equal(fresh[name], trained[name])
    assert not torch.equal(trained[name], other[name])


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_trains_and_ends_the_same_however_often_it_was_stopped(
    name: str, device: str, tmp_path: Path
) -> None:
    """Two trainings of one seed, one of them stopped at every third step: the same bits, curves, samples and files.

    The undisturbed one captures its fourth step and replays those from the sixth on, the other one never captures any.
    """
    recipe = shrunk(name, kimg=0.008 * 8 * max(shrunk(name).turns.values(), default=1), batch_size=8)
    start = save_model(tmp_path / "start", recipe) if recipe.init else None
    whole, parts = Recorder(), Recorder()
    settings: dict[str, Any] = {"start": start, "device": device, "checkpoint_seconds": 1e9}
    undisturbed = run(make_trainer(tmp_path / "whole", recipe, whole, **settings))
    assert all(torch.isfinite(tensor).all() for tensor in weights(undisturbed).values())
    for _ in range(undisturbed.plan.steps):
        trainer = make_trainer(tmp_path / "parts", recipe, parts, **settings)
        with contextlib.suppress(TrainingError):
            run(trainer, StopAfter(3))
            break
    assert trainer.step == undisturbed.plan.steps in (8, 16)  # 16 where the second player alone has two turns
    assert_same(weights(trainer), weights(undisturbed))
    assert parts.rows == whole.rows
    assert all(torch.equal(parts.grids[step], grid) for step, grid in whole.grids.items())
    for history, file in ((trainer.history, "parts.csv"), (undisturbed.history, "whole.csv")):
        write_history(tmp_path / file, history)
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_overfitting_one_batch_shows_the_same_images_in_every_step(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, shrunk("mlp"), debug="overfit-one-batch")
    seen = []
    original = trainer.batches.micro_batch
    trainer.batches.micro_batch = lambda index, part=0: seen.append(index) or original(index, part)
    run(trainer)
    assert set(seen) == {0}


def test_debug_two_steps_takes_two_steps_and_does_everything_else_once(tmp_path: Path) -> None:
    recorder = Recorder()
    trainer = run(make_trainer(tmp_path, shrunk("wgan-gp"), recorder, debug="two-steps"))
    assert trainer.step == 2
    assert list(recorder.rows) == [1, 2]
    assert list(recorder.grids) == [0, 1, 2]


def test_micro_batches_give_the_gradient_of_the_whole_batch(tmp_path: Path) -> None:
    """Without batch norm the mean over two halves is the mean over the whole, if both see the same latents.

    Micro-batches draw other latents than the whole batch does, so only the terms of real images can be compared:
    D(x) in the first step, before any weight has moved. 1e-6: float32 sums in another order.
    """
    whole = make_trainer(tmp_path / "whole", shrunk("wgan-gp", turns={}))
    halves = make_trainer(tmp_path / "halves", shrunk("wgan-gp", turns={}, micro_batches=2))
    first = []
    for trainer in (whole, halves):
        trainer.run_step()
        first.append(trainer.curves.take()["D(x)"])
    assert first[0] == pytest.approx(first[1], abs=1e-6)


def test_time_is_counted_over_a_stop(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, shrunk("mlp"))
    with pytest.raises(TrainingError) as stopped:
        run(trainer, StopAfter(5))
    assert stopped.value.code == "interrupted"
    assert stopped.value.exit_code == 128 + signal.SIGTERM
    time.sleep(0.01)
    resumed = run(make_trainer(tmp_path, shrunk("mlp")))
    assert resumed.seconds > trainer.seconds > 0


def test_a_resumed_training_shows_the_rate_of_its_own_steps(tmp_path: Path) -> None:
    """Steps before the checkpoint were not taken in these seconds."""
    run(make_trainer(tmp_path, shrunk("mlp")))
    ended = make_trainer(tmp_path, shrunk("mlp"))
    total = ended.plan.steps * ended.plan.images_per_step
    bar = Progress("train", total, "images")
    ended.run(Interruption(), bar)
    assert bar.done == total
    assert "  0 images/s  " in bar.line(), "no step was left"
    assert f"  step {ended.plan.steps:,}  discriminator/loss " in bar.line()
    assert bar.line().endswith("  healthy")
