"""Whole rounds as graphs of work: recorded once, then replayed with new data, noise and learning rates.

A round of a small GAN is some thousand short kernels, and Python takes longer to ask for them than a GPU to run them.
Replayed, they cost one call (https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs). On a CPU they take
turns, and Python's part is what a replay saves (cpu_recorder.py).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from ganops.games.game import Batch, Game

WARM_UP_ROUNDS = 3  # libraries choose their algorithms and allocate before anything may be recorded


@dataclass(frozen=True)
class StepOutput:
    """What a round gave: the curves' values of each turn, and the norm of the last player's gradients if asked for."""

    values: list[dict[str, Tensor]]
    gradient: Tensor | None

    def tensors(self) -> list[Tensor]:
        """All of it."""
        values = [value for turn in self.values for value in turn.values()]
        return values if self.gradient is None else [*values, self.gradient]


class Recorder(Protocol):
    """Something that can note down the work a device is asked for, and have it done again on the same memory."""

    def run(self, work: Callable[[], StepOutput]) -> StepOutput:
        """Do the work as ever, where the recording will be made."""

    def record(self, work: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
        """Note the work down without counting on its result; gives what it returned, and what replays it into that."""


class CudaRecorder:
    """Records CUDA graphs, which share one pool of memory."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def run(self, work: Callable[[], StepOutput]) -> StepOutput:
        """Do the work on the stream that records; a capture wants its libraries warm there."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            found = work()
        torch.cuda.current_stream().wait_stream(self._stream)
        return found

    def record(self, work: Callable[[], StepOutput]) -> tuple[StepOutput, Callable[[], None]]:
        """Capture the work; none of it is done before the first replay."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
            found = work()
        return found, graph.replay


@dataclass
class _Recording:
    batches: list[Batch]
    played: StepOutput
    replay: Callable[[], None]
    proven: bool = False


class CapturedSteps:
    """Plays the rounds of one training, by replay where a round like it has been recorded.

    Rounds with the same graph_key (see Game.graph_key) share a recording. The first rounds of each are played as ever. Before
    a recording is trusted, the next round after it is played both ways, and every weight, buffer, moment and curve has
    to be the same bit for bit; else the training goes on without recordings, from what was played as ever.

    seed: sets all random states for the round at hand. work: plays its turns, given a batch for each.
    """

    def __init__(
        self,
        game: Game,
        optimizers: Mapping[str, torch.optim.Optimizer],
        recorder: Recorder,
        seed: Callable[[], None],
        work: Callable[[list[Batch]], StepOutput],
    ) -> None:
        self._game, self._optimizers, self._recorder = game, optimizers, recorder
        self._seed, self._work = seed, work
        self.refused = ""
        self._seen: dict[Hashable, int] = {}
        self._recordings: dict[Hashable, _Recording] = {}

    @property
    def proven(self) -> int:
        """How many recordings are in use."""
        return sum(recording.proven for recording in self._recordings.values())

    def forget(self) -> None:
        """To be called when optimisers have got other tensors: recordings would write to the old ones."""
        self._seen, self._recordings = {}, {}

    def play(self, step: int, batches: list[Batch]) -> StepOutput:
        """Play round `step`; what is returned holds until the next one."""
        graph_key = self._game.graph_key(step)
        seen = self._seen[graph_key] = self._seen.get(graph_key, 0) + 1
        if self.refused or graph_key is None or seen <= WARM_UP_ROUNDS:
            return self._as_ever(batches)
        recording = self._recordings.get(graph_key)
        if recording is None:
            self._record(graph_key, batches)
            return self._as_ever(batches)
        for own, given in zip(recording.batches, batches, strict=True):
            for name, tensor in _tensors(own).items():
                tensor.copy_(getattr(given, name))
        if not recording.proven:
            return self._prove(recording, batches)
        self._seed()
        recording.replay()
        return recording.played

    def _as_ever(self, batches: list[Batch]) -> StepOutput:
        self._seed()
        return self._recorder.run(lambda: self._work(batches))

    def _record(self, graph_key: Hashable, batches: list[Batch]) -> None:
        own = [_copied(batch) for batch in batches]
        before = [tensor.clone() for tensor in self._state()]  # a recorder may do the work while it notes it down
        self._seed()
        try:
            played, replay = self._recorder.record(lambda: self._work(own))
        except RuntimeError as error:
            self._refuse(str(error).partition("\n")[0])
        else:
            self._recordings[graph_key] = _Recording(own, played, replay)
        self._put_back(before)

    def _prove(self, recording: _Recording, batches: list[Batch]) -> StepOutput:
        before = [tensor.clone() for tensor in self._state()]
        played = self._as_ever(batches)
        expected = [tensor.clone() for tensor in self._state()]
        self._put_back(before)
        self._seed()
        recording.replay()
        found, wanted = [*self._state(), *recording.played.tensors()], [*expected, *played.tensors()]
        recording.proven = all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))
        if not recording.proven:
            self._put_back(expected)
            self._refuse("replayed, a round gave other numbers than played")
        return played

    def _refuse(self, reason: str) -> None:
        self.refused = reason
        self.forget()
        for parameter in self._game.parameters():
            parameter.grad = None  # what a broken recording may have left there
        print(f"rounds are played one operation at a time, without a graph: {reason}", flush=True)

    def _state(self) -> list[Tensor]:
        """Everything that a round changes and the next one reads."""
        moments = [m for o in self._optimizers.values() for state in o.state.values() for m in state.values()]
        return [*self._game.state_dict().values(), *(m for m in moments if isinstance(m, Tensor))]

    @torch.no_grad()
    def _put_back(self, values: list[Tensor]) -> None:
        for tensor, value in zip(self._state(), values, strict=True):
            tensor.copy_(value)


def _copied(batch: Batch) -> Batch:
    copies: dict[str, Any] = {name: tensor.clone() for name, tensor in _tensors(batch).items()}
    return replace(batch, **copies)


def _tensors(batch: Batch) -> dict[str, Tensor]:
    values = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}
