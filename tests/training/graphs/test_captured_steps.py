"""Recorded rounds promise: replayed, every recipe learns what it would have learned played; else they are not used.

Both ways are tested on a CPU. A stand-in for CUDA graphs notes every operation with its very arguments, and a replay
does them again on the same memory, numbers from Python and places of tensors burnt in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import RECIPES, SPEC, StopAfter, make_trainer, run, save_model, shrunk, weights
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ganops.errors import TrainingError
from ganops.games.build import build_game
from ganops.games.game import Batch, Game, Losses
from ganops.games.unconditional import Unconditional
from ganops.training.graphs.captured_steps import CapturedSteps, CudaRecorder, Recorder, StepOutput
from ganops.training.graphs.cpu_recorder import CpuRecorder
from ganops.training.trainer import Trainer

SHIPPED = sorted(path.stem for path in RECIPES.glob("*.yaml"))


# The device would have to wait for one of these: a number read back, numbers brought from Python.
FORBIDDEN = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.lift_fresh.default)


class Noting(TorchDispatchMode):
    """Notes all operations while they are done; refuses those that a GPU cannot record."""

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
    """Records on a CPU as CUDA does."""

    def run(self, work: Callable[[], StepOutput]) -> StepOutput:
        return work()

    def record(self, work: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
        with Noting() as noting:
            found = work()

        @torch.no_grad()
        def replay() -> None:
            for func, args, kwargs, results in noting.operations:
                again = [x for x in tree_leaves(func(*args, **kwargs)) if isinstance(x, Tensor)]
                for place, value in zip(results, again, strict=True):
                    if place.data_ptr() != value.data_ptr():
                        place.detach().copy_(value)

        return found, replay


def recording(trainer: Trainer, recorder: Recorder) -> CapturedSteps:
    """Let a trainer play by this recorder."""
    trainer.rounds.record(recorder)
    assert trainer.rounds.recorded is not None
    return trainer.rounds.recorded


def play(trainer: Trainer, rounds: int) -> dict[str, Tensor]:
    for _ in range(rounds):
        trainer.run_step()
    return weights(trainer)


AnyRecorder = type[CpuRecorder | LikeCuda]
RECORDERS: tuple[AnyRecorder, ...] = (CpuRecorder, LikeCuda)


class NeverRecords(LikeCuda):
    """What a device says that cannot record this work."""

    def record(self, work: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
        raise RuntimeError("operation not permitted when stream is capturing\nmore about it")


def often(game: dict[str, Any]) -> dict[str, Any]:
    """What is lazy is paid in every second or fourth round, and a penalty's weight stays as it is."""
    changes = {"penalty": {"every": 2, "last_weight": None}, "path_length": {"every": 4}}
    return game | {name: game[name] | change for name, change in changes.items() if game.get(name)}


@pytest.mark.parametrize("recorder", RECORDERS)
@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_learns_the_same_played_and_replayed(
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
    played = make_trainer(tmp_path / "played", recipe, start=start, graphs=False)
    replayed = make_trainer(tmp_path / "replayed", recipe, start=start)
    recorded = recording(replayed, recorder())
    wanted, found = play(played, 24), play(replayed, 24)
    assert recorded.proven == len({replayed.game.graph_key(step) for step in range(24)}), recorded.refused
    different = [key for key in wanted if not torch.equal(wanted[key], found[key])]
    assert not different, f"these differ: {different}"
    assert played.curves.take() == replayed.curves.take()


@pytest.mark.parametrize("recorder", RECORDERS)
def test_a_number_that_changes_in_python_is_noticed_and_the_training_goes_on_rightly(
    recorder: AnyRecorder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A game that says that its rounds are alike, and lets a weight grow with the step all the same."""

    def growing(self: Unconditional, player: str, batch: Batch, step: int) -> Losses:
        turn = usual(self, player, batch, step)
        return Losses({name: (1 + step) * value for name, value in turn.losses.items()}, turn.logs)

    usual = Unconditional.turn
    monkeypatch.setattr(Unconditional, "turn", growing)
    assert_played_as_ever(tmp_path, recorder())
    assert "other numbers" in capsys.readouterr().out


def test_work_that_cannot_be_recorded_is_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The device's reason is said once, in a line."""
    assert_played_as_ever(tmp_path, NeverRecords())
    assert capsys.readouterr().out.count("operation not permitted when stream is capturing\n") == 1


READINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "a number": lambda loss: loss * float(loss.detach()),
    "a shape": lambda loss: loss * loss.expand(8)[torch.ones(8) > 0][0],
}


@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS)
def test_what_is_known_only_when_it_is_done_is_not_burnt_in(
    read: Callable[[Tensor], Tensor],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A number read back into Python, and a shape that depends on numbers."""

    def reading(self: Unconditional, player: str, batch: Batch, step: int) -> Losses:
        turn = usual(self, player, batch, step)
        return Losses({name: read(value) for name, value in turn.losses.items()}, turn.logs)

    usual = Unconditional.turn
    monkeypatch.setattr(Unconditional, "turn", reading)
    assert_played_as_ever(tmp_path, CpuRecorder())
    assert "is known only when it is done" in capsys.readouterr().out


def assert_played_as_ever(folder: Path, recorder: Recorder) -> None:
    """A training whose recordings are no good learns what it would have learned without."""
    played = make_trainer(folder / "played", shrunk("mlp"), graphs=False)
    replayed = make_trainer(folder / "replayed", shrunk("mlp"))
    recorded = recording(replayed, recorder)
    wanted, found = play(played, 10), play(replayed, 10)
    assert recorded.refused
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)


def test_rounds_of_a_game_that_says_nothing_of_its_rhythm_are_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is recorded, and nothing refused either."""
    monkeypatch.setattr(Unconditional, "graph_key", Game.graph_key)
    trainer = make_trainer(tmp_path, shrunk("mlp"))
    recorded = recording(trainer, CpuRecorder())
    play(trainer, 8)
    assert (recorded.proven, recorded.refused) == (0, "")


def test_what_fades_is_played_until_it_has_faded() -> None:
    """Instance noise and a falling penalty; then rounds are alike, but for what is lazy and how many images count."""
    game = shrunk("dcgan").game | {
        "noise": {"std": 0.1, "rounds": 5},
        "penalty": {"kind": "r1", "weight": 1.0, "every": 4, "last_weight": 0.1, "rounds": 8},
        "top_k": {"decay": 0.9, "every": 10},
    }
    duel = build_game(shrunk("dcgan", game=game), SPEC)
    assert [duel.graph_key(step) for step in range(8)] == [None] * 8
    assert duel.graph_key(8) != duel.graph_key(9)
    assert duel.graph_key(10) == duel.graph_key(11) == duel.graph_key(13) != duel.graph_key(12) == duel.graph_key(16)
    assert duel.graph_key(13) != duel.graph_key(21)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("name", ["dcgan", "wgan-gp", "stylegan2-ada"])
def test_a_training_that_was_stopped_ends_as_the_undisturbed_one(name: str, device: str, tmp_path: Path) -> None:
    """Recordings are made anew after a resume, in other rounds, and change nothing."""
    recipe = shrunk(name, kimg=0.016 * 24 * shrunk(name).turns.get("discriminator", 1), game=often(shrunk(name).game))

    def trainer(folder: str) -> Trainer:
        made = make_trainer(tmp_path / folder, recipe, device=device, checkpoint_seconds=1e9)
        made.rounds.record(CudaRecorder() if device == "cuda" else CpuRecorder())
        return made

    whole = run(trainer("whole"))
    assert whole.rounds.recorded is not None
    assert whole.rounds.recorded.proven, whole.rounds.recorded.refused
    with pytest.raises(TrainingError, match="stopped after round 13"):
        run(trainer("parts"), StopAfter(13))
    parts = run(trainer("parts"))
    wanted, found = weights(whole), weights(parts)
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)
    assert parts.history == whole.history
