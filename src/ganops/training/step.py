"""One round of a game: every player's turns, their gradients and their optimisers' steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from ganops.games.game import Batch, Game
from ganops.recipe import Recipe
from ganops.training.batches import Batches
from ganops.training.distributed.process_group import Processes
from ganops.training.frozen import trained
from ganops.training.graphs.captured_steps import CapturedSteps, CudaRecorder, Recorder, StepOutput
from ganops.training.graphs.cpu_recorder import CpuRecorder
from ganops.training.hardware import Hardware
from ganops.training.optimizers import may_be_recorded
from ganops.training.randomness import seed_all


class Rounds:
    """Plays the rounds of one training; they change the game's weights and buffers and the optimisers' states.

    Of several processes each plays its parts of every batch. overfit: all turns of all rounds see the same batch.
    """

    def __init__(
        self,
        game: Game,
        recipe: Recipe,
        optimizers: Mapping[str, torch.optim.Optimizer],
        batches: Batches,
        hardware: Hardware,
        processes: Processes,
        seed: int,
        *,
        overfit: bool,
    ) -> None:
        self._game, self._recipe, self._optimizers, self._batches = game, recipe, optimizers, batches
        self._hardware, self._processes, self._seed, self._overfit = hardware, processes, seed, overfit
        self._trained = {player: trained(game, player) for player in game.players}
        self._gradients = {player: processes.gradients(self._trained[player]) for player in game.players}
        self._parts = processes.parts(recipe.parts)
        self._step = 0
        self._seen = dict[tuple[int, int], Batch]()
        self.recorded: CapturedSteps | None = None
        seen = all(may_be_recorded(optimizers[player], recipe.optimizers[player]) for player in game.players)
        if hardware.graphs and recipe.parts == 1 and seen:
            self.record(CudaRecorder() if hardware.device.type == "cuda" else CpuRecorder())

    def record(self, recorder: Recorder) -> None:
        """From now on play rounds as a whole, by replay of recordings where the game allows it."""
        self.recorded = CapturedSteps(
            self._game,
            self._optimizers,
            recorder,
            seed=self._seed_turns,
            work=lambda batches: self._play(([batch] for batch in batches), gradient_wanted=True),
        )

    def optimizers_changed(self) -> None:
        """To be called when the optimisers have got other states: recordings would write to the old ones."""
        if self.recorded is not None:
            self.recorded.forget()

    def play(self, step: int, *, gradient_wanted: bool) -> StepOutput:
        """Every player's turns; the first player's turns each see a new batch, the others the last of these.

        With a recording the last player's gradient norm is there in any case.
        """
        self._step = step
        self._seen.clear()
        if self._recipe.parts > 1:
            parts = (self._parts_of(*turn) for turn in self._turns())
            return self._play(parts, gradient_wanted=gradient_wanted)
        seed_all(self._seed, step)
        batches = [self._part(index, 0) for *_, index in self._turns()]
        if self.recorded is not None:
            return self.recorded.play(step, batches)
        self._seed_turns()
        return self._play(([batch] for batch in batches), gradient_wanted=gradient_wanted)

    def _seed_turns(self) -> None:
        """Set the random numbers of a whole round: a recording of one cannot set them turn by turn."""
        seed_all(self._seed, self._step, 0)

    def _turns(self) -> Iterator[tuple[str, int, int]]:
        """Each turn of this round: its player, its number among this player's turns, the index of its batch."""
        first, *_ = self._game.players
        first_turns = self._recipe.turns.get(first, 1)
        for player in self._game.players:
            for turn in range(self._recipe.turns.get(player, 1)):
                fresh = turn if player == first else first_turns - 1
                yield player, turn, 0 if self._overfit else self._step * first_turns + fresh

    def _parts_of(self, player: str, turn: int, batch_index: int) -> Iterator[Batch]:
        """This process's parts of a turn's batch; before each its random numbers are set, whoever computes it."""
        for part in self._parts:
            seed_all(self._seed, self._step, list(self._game.players).index(player), turn, part)
            yield self._part(batch_index, part)

    def _part(self, batch_index: int, part: int) -> Batch:
        """A part of a batch; turns of one round that see the same batch see the same images, flipped alike."""
        place = batch_index, part
        if place not in self._seen:
            self._seen[place] = self._batches.part(*place)
        return self._seen[place]

    def _play(self, batches: Iterable[Iterable[Batch]], *, gradient_wanted: bool) -> StepOutput:
        """The turns of a round, each on its parts of a batch."""
        values, gradient, last_player = list[dict[str, Tensor]](), None, list(self._game.players)[-1]
        for (player, *_), parts in zip(self._turns(), batches, strict=True):
            parameters, optimizer = self._trained[player], self._optimizers[player]
            for number, batch in enumerate(parts, start=1):
                loss = partial(self._loss, player, batch, values)
                self._gradients[player].add(loss, last=number == len(self._parts))
            optimizer.step()
            self._game.on_optimizer_step(player)
            if player == last_player and gradient_wanted:
                gradient = _norm(parameters)
            for parameter in parameters:
                parameter.grad = None
        self._processes.average_buffers(self._game)
        self._game.on_step_end(self._processes.size)
        return StepOutput(values, gradient)

    def _loss(self, player: str, batch: Batch, values: list[dict[str, Tensor]]) -> Tensor:
        """A turn's loss on one part: its share of the mean over the parts here. What it shows is added to `values`."""
        with self._hardware.autocast():
            played = self._game.losses(player, batch, self._step)
        minimised = {f"{player}/{name}": value.detach() for name, value in played.losses.items()}
        values.append(minimised | played.logs)
        return played.total / len(self._parts)


def _norm(parameters: list[nn.Parameter]) -> Tensor:
    """Euclidean norm of all gradients together."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    return norm
