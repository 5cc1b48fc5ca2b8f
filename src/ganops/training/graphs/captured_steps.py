"""Whole steps as graphs of work: captured once, then replayed with new data, noise and learning rates.

A step of a small GAN is about a thousand short kernels, which Python takes longer to launch than a GPU to run. A replay
launches them in one call (https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ganops.data.rows import Rows
from ganops.training.step import StepOutput, TrainingStep

WARM_UP_STEPS = 3  # libraries choose their algorithms and allocate before anything may be captured

Work = Callable[[], StepOutput]


class Recorder(Protocol):
    """Captures the work a device is given, to repeat it on the same memory."""

    def run(self, work: Work) -> StepOutput:
        """Run eagerly, on the stream that captures."""

    def record(self, work: Work) -> tuple[StepOutput, Callable[[], None]]:
        """Capture the work, which may run or not; gives what it returned, and what replays it into that.

        Raises RuntimeError for work that cannot be captured; the device is usable afterwards.
        """


@dataclass
class _Recording:
    batches: list[Rows]
    output: StepOutput
    replay: Callable[[], None]
    proven: bool = False


class CapturedSteps:
    """Takes the steps of one training, by replay where a step like it has been captured; see training.step.Capture.

    Steps of one stage with the same key share a recording (see Game.graph_key). The first steps of each key run
    eagerly. Before a recording is trusted, the next step of its key runs both ways, and every weight, buffer, moment
    and curve has to be the same bit for bit; else the training continues eagerly, from the result of the eager step.
    """

    def __init__(self, step: TrainingStep, recorder: Recorder) -> None:
        self._step, self._recorder = step, recorder
        self._game = step.game
        self.refused = ""
        self._seen: dict[Hashable, int] = {}
        self._recordings: dict[Hashable, _Recording] = {}

    @property
    def proven(self) -> int:
        """How many recordings are in use."""
        return sum(recording.proven for recording in self._recordings.values())

    def forget(self) -> None:
        """Drop all recordings: they write to the tensors of the optimisers as they were."""
        self._seen = {}
        self._recordings = {}

    def run(self, step: int, batches: list[Rows]) -> StepOutput:
        """Take step `step`; what is returned holds until the next one."""
        of_game = self._game.graph_key(step)
        key = (self._game.stage, of_game)
        seen = self._seen[key] = self._seen.get(key, 0) + 1
        if self.refused or of_game is None or seen <= WARM_UP_STEPS:
            return self._eager(batches)
        recording = self._recordings.get(key)
        if recording is None:
            self._record(key, batches)
            return self._eager(batches)
        for own, given in zip(recording.batches, batches, strict=True):
            for name, column in own.items():
                column.copy_(given[name])
        if not recording.proven:
            return self._prove(recording, batches)
        self._step.seed_turns()
        recording.replay()
        return recording.output

    def _eager(self, batches: list[Rows]) -> StepOutput:
        self._step.seed_turns()
        return self._recorder.run(lambda: self._step.take_turns(batches))

    def _record(self, key: Hashable, batches: list[Rows]) -> None:
        own = [batch.map(Tensor.clone) for batch in batches]
        before = [tensor.clone() for tensor in self._state()]  # a recorder may run the work
        self._step.seed_turns()
        try:
            output, replay = self._recorder.record(lambda: self._step.take_turns(own))
        except RuntimeError as error:
            self._refuse(str(error).partition("\n")[0])
        else:
            self._recordings[key] = _Recording(own, output, replay)
        self._restore(before)

    def _prove(self, recording: _Recording, batches: list[Rows]) -> StepOutput:
        before = [tensor.clone() for tensor in self._state()]
        output = self._eager(batches)
        expected = [tensor.clone() for tensor in self._state()]
        self._restore(before)
        self._step.seed_turns()
        recording.replay()
        found, wanted = [*self._state(), *recording.output.tensors()], [*expected, *output.tensors()]
        recording.proven = all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))
        if not recording.proven:
            self._restore(expected)
            self._refuse("a replayed step differs from an eager one")
        return output

    def _refuse(self, reason: str) -> None:
        self.refused = reason
        self.forget()
        for parameter in self._game.parameters():
            parameter.grad = None  # a failed capture may have left some
        print(f"steps run without captured graphs: {reason}", flush=True)

    def _state(self) -> list[Tensor]:
        """Everything that a step changes and the next one reads."""
        optimizers = self._step.optimizers.values()
        moments = [moment for o in optimizers for state in o.state.values() for moment in state.values()]
        tensors = [moment for moment in moments if isinstance(moment, Tensor)]
        return [*self._game.parameters(), *self._game.buffers(), *tensors]

    @torch.no_grad()
    def _restore(self, values: list[Tensor]) -> None:
        for tensor, value in zip(self._state(), values, strict=True):
            tensor.copy_(value)


def capture_steps(step: TrainingStep, recorder: Recorder) -> CapturedSteps:
    """From now on take `step`'s steps by replay, where the game allows it."""
    captured = CapturedSteps(step, recorder)
    step.capture = captured
    return captured
