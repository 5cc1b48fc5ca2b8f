"""One training step: every player's turns, their gradients and their optimisers' steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.games.game import Game
from ganops.recipe import Recipe
from ganops.training.batches import Batches
from ganops.training.distributed.process_group import ProcessGroup
from ganops.training.frozen import trained_parameters
from ganops.training.hardware import Hardware
from ganops.training.optimizers import may_be_captured
from ganops.training.randomness import seed_all


@dataclass(frozen=True)
class StepOutput:
    """What a step gave: the curves' values of each turn, and the norm of the last player's gradients if asked for."""

    values: list[dict[str, Tensor]]
    gradient: Tensor | None

    def tensors(self) -> list[Tensor]:
        """All of them."""
        values = [value for turn in self.values for value in turn.values()]
        return values if self.gradient is None else [*values, self.gradient]


class Capture(Protocol):
    """Takes steps in place of TrainingStep, given the batch of each turn; see graphs/captured_steps.py."""

    def run(self, step: int, batches: list[Rows]) -> StepOutput:
        """Take step `step`."""

    def forget(self) -> None:
        """Drop what refers to the optimisers' states."""


class TrainingStep:
    """Takes the steps of one training, which change the game's weights and buffers and the optimisers' states.

    Of several processes each computes its micro-batches of every batch. overfit: all turns see the same batch.
    capture: takes the steps instead, where it has been set and a step is one micro-batch.
    """

    def __init__(
        self,
        game: Game,
        recipe: Recipe,
        optimizers: Mapping[str, torch.optim.Optimizer],
        batches: Batches,
        hardware: Hardware,
        group: ProcessGroup,
        seed: int,
        *,
        overfit: bool,
    ) -> None:
        self.game, self.optimizers = game, optimizers
        self.capture: Capture | None = None
        self._recipe, self._batches, self._hardware, self._group = recipe, batches, hardware, group
        self._seed, self._overfit = seed, overfit
        self._trained = {player: trained_parameters(game, player) for player in game.players}
        self._gradients = {player: group.gradients(self._trained[player]) for player in game.players}
        self._step = 0
        self._seen = dict[tuple[int, int], Rows]()

    @property
    def may_be_captured(self) -> bool:
        """Whether steps are single micro-batches whose learning rates a captured step follows."""
        settings = self._recipe.optimizers
        follows = all(may_be_captured(self.optimizers[player], settings[player]) for player in self.game.players)
        return self._recipe.micro_batches == 1 and follows

    def optimizers_changed(self) -> None:
        """Call this when the optimisers have got other states: captured steps would write to the old ones."""
        if self.capture is not None:
            self.capture.forget()

    def run(self, step: int, *, gradient_wanted: bool) -> StepOutput:
        """Every player's turns; the first player's turns each see a new batch, the others the last of these.

        A captured step always gives the last player's gradient norm.
        """
        self._step = step
        self._seen.clear()
        if self._recipe.micro_batches > 1:
            micro_batches = (self._micro_batches_of(*turn) for turn in self._turns())
            return self._take(micro_batches, gradient_wanted=gradient_wanted)
        seed_all(self._seed, step)
        batches = [self._micro_batch(index, 0) for *_, index in self._turns()]
        if self.capture is not None:
            return self.capture.run(step, batches)
        self.seed_turns()
        return self.take_turns(batches, gradient_wanted=gradient_wanted)

    def seed_turns(self) -> None:
        """Set the random numbers of all turns of the step: a captured one cannot set them turn by turn."""
        seed_all(self._seed, self._step, 0)

    def take_turns(self, batches: list[Rows], *, gradient_wanted: bool = True) -> StepOutput:
        """All turns of the step, each on its batch as a single micro-batch."""
        return self._take(([batch] for batch in batches), gradient_wanted=gradient_wanted)

    def _turns(self) -> Iterator[tuple[str, int, int]]:
        """Each turn of this step: its player, its number among this player's turns, the index of its batch.

        Players that rest in the current stage have none; the batches are those of a step in which all take part.
        """
        first, *_ = self.game.players
        first_turns = self._recipe.turns.get(first, 1)
        for player in self.game.active_players:
            for turn in range(self._recipe.turns.get(player, 1)):
                fresh = turn if player == first else first_turns - 1
                yield player, turn, 0 if self._overfit else self._step * first_turns + fresh

    def _micro_batches_of(self, player: str, turn: int, index: int) -> Iterator[Rows]:
        """This process's micro-batches of a turn; seeded one by one, so that it does not matter who computes which."""
        for micro_batch in self._batches.here:
            seed_all(self._seed, self._step, list(self.game.players).index(player), turn, micro_batch)
            yield self._micro_batch(index, micro_batch)

    def _micro_batch(self, index: int, micro_batch: int) -> Rows:
        """Part of a batch; turns of a step that share a batch see the same rows, flipped and derived alike."""
        key = (index, micro_batch)
        if key not in self._seen:
            self._seen[key] = self._batches.micro_batch(index, micro_batch)
        return self._seen[key]

    def _take(self, turns: Iterable[Iterable[Rows]], *, gradient_wanted: bool) -> StepOutput:
        """The turns of a step, each on its micro-batches."""
        values, gradient, last_player = list[dict[str, Tensor]](), None, self.game.active_players[-1]
        for (player, *_), micro_batches in zip(self._turns(), turns, strict=True):
            parameters, optimizer = self._trained[player], self.optimizers[player]
            for number, rows in zip(self._batches.here, micro_batches, strict=True):
                loss = partial(self._loss, player, rows, number, values)
                self._gradients[player].add(loss, last=number == self._batches.here[-1])
            optimizer.step()
            self.game.on_optimizer_step(player)
            if player == last_player and gradient_wanted:
                gradient = _norm(parameters)
            for parameter in parameters:
                parameter.grad = None
        self._group.average_buffers(self.game)
        self.game.on_step_end(self._group.size)
        return StepOutput(values, gradient)

    def _loss(self, player: str, rows: Rows, number: int, values: list[dict[str, Tensor]]) -> Tensor:
        """The loss of a micro-batch, as its share of the mean over those here; its curves are added to `values`."""
        with self._hardware.autocast():
            found = self.game.losses(player, rows, self._step, number)
        values.append({f"{player}/{name}": value.detach() for name, value in found.losses.items()} | found.logs)
        return found.total / len(self._batches.here)


def _norm(parameters: list[nn.Parameter]) -> Tensor:
    """Euclidean norm of all gradients together."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    return norm
