"""Captured steps: with them every recipe learns exactly what it learns without, else they are not used.

Both recorders are tested on a CPU. A stand-in for CUDA graphs records every operation with its arguments, and a replay
repeats them on the same memory, with Python numbers and addresses of tensors fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import RECIPES, SPEC, StopAfter, make_trainer, run, save_model, shrunk, weights
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ganops.data.rows import Rows
from ganops.errors import TrainingError
from ganops.games.build import build_game
from ganops.games.game import Game, Losses
from ganops.games.unconditional import Unconditional
from ganops.training.graphs.captured_steps import CapturedSteps, Recorder, Work, capture_steps
from ganops.training.graphs.cpu_recorder import CpuRecorder
from ganops.training.step import StepOutput
from ganops.training.trainer import Trainer

SHIPPED = sorted(path.stem for path in RECIPES.glob("*.yaml"))


# The device would have to wait for these: a number read back, numbers copied from Python.
FORBIDDEN = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.lift_fresh.default)


class Recording(TorchDispatchMode):
    """Records all operations while they run; refuses those that a GPU cannot capture."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], list[Tensor]]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in FORBIDDEN:
            raise RuntimeError(f"{func} cannot be recorded")
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        self.operations.append((func, args, kwargs, [x for x in tree_leaves(result) if isinstance(x, Tensor)]))
        return result


class LikeCuda:
    """Captures on a CPU as CUDA does."""

    def run(self, work: Work) -> StepOutput:
        return work()

    def record(self, work: Work) -> tuple[StepOutput, Callable[[], None]]:
        with Recording() as recording:
            found = work()

        @torch.no_grad()
        def replay() -> None:
            for func, args, kwargs, results in recording.operations:
                again = [x for x in tree_leaves(func(*args, **kwargs)) if isinstance(x, Tensor)]
                for place, value in zip(results, again, strict=True):
                    if place.data_ptr() != value.data_ptr():
                        place.detach().copy_(value)

        return found, replay


def train(trainer: Trainer, steps: int) -> dict[str, Tensor]:
    for _ in range(steps):
        trainer.run_step()
    return weights(trainer)


def keys(trainer: Trainer, steps: int) -> set[Hashable]:
    """The kinds of steps that a game takes, as far as they may be captured."""
    return {trainer.game.graph_key(step) for step in range(steps)} - {None}


AnyRecorder = type[CpuRecorder | LikeCuda]
RECORDERS: tuple[AnyRecorder, ...] = (CpuRecorder, LikeCuda)


class NeverRecords(LikeCuda):
    """Raises what a device raises that cannot capture this work."""

    def record(self, work: Work) -> tuple[StepOutput, Callable[[], None]]:
        raise RuntimeError("operation not permitted when stream is capturing\nmore about it")


def often(game: dict[str, Any]) -> dict[str, Any]:
    """Lazy terms come every second or fourth step, and a penalty's weight is constant."""
    changes = {"penalty": {"every": 2, "last_weight": None}, "path_length": {"every": 4}}
    return game | {name: game[name] | change for name, change in changes.items() if game.get(name)}


# Every recipe meets the recorder of a CPU in test_trainer, too: a training stopped every third step never replays one,
# and has to end as the whole training does. Here it meets lazy terms and rates that change.
STEPS, LAZY_STEPS = 8, 20  # enough to prove each kind of step, and to replay it: lazy terms come every fourth
CASES = [(name, LikeCuda) for name in SHIPPED] + [(name, CpuRecorder) for name in ("mlp", "wgan-gp", "stylegan2-ada")]


@pytest.mark.parametrize(("name", "recorder"), CASES)
def test_every_shipped_recipe_learns_the_same_eagerly_and_captured(
    name: str, recorder: AnyRecorder, tmp_path: Path
) -> None:
    """Rates that change and lazy terms included: same weights, averages and curves, bit for bit."""
    recipe = shrunk(name, kimg=4, game=often(shrunk(name).game))
    changing = {"adam": "linear"}  # the other optimisers have no rates that are tensors on a CPU
    rates = {
        player: asked.model_copy(update={"schedule": changing.get(asked.kind, "constant")})
        for player, asked in recipe.optimizers.items()
    }
    recipe = recipe.model_copy(update={"optimizers": rates})
    start = save_model(tmp_path / "start", recipe) if recipe.init else None
    eager = make_trainer(tmp_path / "eager", recipe, start=start, graphs="never")
    captured = make_trainer(tmp_path / "captured", recipe, start=start)
    steps = capture_steps(captured.stepper, recorder())
    count = STEPS if len(keys(captured, STEPS)) <= 1 else LAZY_STEPS
    wanted, found = train(eager, count), train(captured, count)
    assert steps.proven == len(keys(captured, count)), steps.refused
    different = [key for key in wanted if not torch.equal(wanted[key], found[key])]
    assert not different, f"these differ: {different}"
    assert eager.curves.take() == captured.curves.take()


@pytest.mark.parametrize("recorder", RECORDERS)
def test_a_python_number_that_changes_is_noticed_and_training_continues_correctly(
    recorder: AnyRecorder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A game whose key says that its steps are alike, while a weight grows with the step."""

    def growing(self: Unconditional, player: str, batch: Rows, step: int, micro_batch: int) -> Losses:
        turn = usual(self, player, batch, step, micro_batch)
        return Losses({name: (1 + step) * value for name, value in turn.losses.items()}, turn.logs)

    usual = Unconditional.losses
    monkeypatch.setattr(Unconditional, "losses", growing)
    assert_learns_the_same(tmp_path, recorder())
    assert "differs from an eager one" in capsys.readouterr().out


def test_work_that_cannot_be_captured_runs_eagerly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The device's reason is printed once, in a line."""
    assert_learns_the_same(tmp_path, NeverRecords())
    assert capsys.readouterr().out.count("operation not permitted when stream is capturing\n") == 1


READINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "a number": lambda loss: loss * float(loss.detach()),
    "a shape": lambda loss: loss * loss.expand(8)[torch.ones(8) > 0][0],
}


@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS)
def test_values_and_shapes_that_depend_on_data_are_not_captured(
    read: Callable[[Tensor], Tensor],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A number read back into Python, and a shape that depends on numbers."""

    def reading(self: Unconditional, player: str, batch: Rows, step: int, micro_batch: int) -> Losses:
        turn = usual(self, player, batch, step, micro_batch)
        return Losses({name: read(value) for name, value in turn.losses.items()}, turn.logs)

    usual = Unconditional.losses
    monkeypatch.setattr(Unconditional, "losses", reading)
    assert_learns_the_same(tmp_path, CpuRecorder())
    assert "depends on computed values" in capsys.readouterr().out


def assert_learns_the_same(folder: Path, recorder: Recorder) -> None:
    """A training whose captures are refused learns what it learns without."""
    eager = make_trainer(folder / "eager", shrunk("mlp"), graphs="never")
    captured = make_trainer(folder / "captured", shrunk("mlp"))
    steps = capture_steps(captured.stepper, recorder)
    wanted, found = train(eager, 10), train(captured, 10)
    assert steps.refused
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)


def test_steps_of_a_game_without_a_key_run_eagerly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is captured, and nothing refused either."""
    monkeypatch.setattr(Unconditional, "graph_key", Game.graph_key)
    trainer = make_trainer(tmp_path, shrunk("mlp"))
    steps = capture_steps(trainer.stepper, CpuRecorder())
    train(trainer, 8)
    assert (steps.proven, steps.refused) == (0, "")


def test_steps_run_eagerly_until_what_fades_has_faded() -> None:
    """Instance noise and a falling penalty; then steps are alike, but for lazy terms and how many images count."""
    game = shrunk("dcgan").game | {
        "noise": {"std": 0.1, "steps": 5},
        "penalty": {"kind": "r1", "weight": 1.0, "every": 4, "last_weight": 0.1, "steps": 8},
        "top_k": {"decay": 0.9, "every": 10},
    }
    game = build_game(shrunk("dcgan", game=game), SPEC)
    assert [game.graph_key(step) for step in range(8)] == [None] * 8
    assert game.graph_key(8) != game.graph_key(9)
    assert game.graph_key(10) == game.graph_key(11) == game.graph_key(13) != game.graph_key(12) == game.graph_key(16)
    assert game.graph_key(13) != game.graph_key(21)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("name", ["dcgan", "wgan-gp", "stylegan2-ada"])
def test_a_training_that_was_stopped_ends_as_the_undisturbed_one(name: str, device: str, tmp_path: Path) -> None:
    """Steps are captured again after a resume, at other steps, and change nothing."""
    recipe = shrunk(name, kimg=0.016 * 24 * shrunk(name).turns.get("discriminator", 1), game=often(shrunk(name).game))

    def trainer(folder: str) -> Trainer:
        return make_trainer(tmp_path / folder, recipe, device=device, checkpoint_seconds=1e9)

    whole = run(trainer("whole"))
    assert isinstance(whole.stepper.capture, CapturedSteps)
    assert whole.stepper.capture.proven, whole.stepper.capture.refused
    with pytest.raises(TrainingError):
        run(trainer("parts"), StopAfter(13))
    parts = run(trainer("parts"))
    wanted, found = weights(whole), weights(parts)
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)
    assert parts.history == whole.history
