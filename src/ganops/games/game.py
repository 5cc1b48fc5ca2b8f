"""The interface between a game and everything else: who plays, what each player minimises, what the model answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor, nn

from ganops.data.fields.field import Field
from ganops.data.rows import Rows
from ganops.games.stage import Stage
from ganops.games.task import Task
from ganops.networks.image_features.features import ImageFeatures
from ganops.registry_of_kinds import KindRegistry


@dataclass(frozen=True)
class Losses:
    """What one player minimises on one batch.

    losses: named scalar terms; their sum is minimised.
    logs: named scalars that are only recorded (D(x), D(G(z)), a gradient's norm); they are kept without their graph.
    """

    losses: dict[str, Tensor]
    logs: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.logs.update({name: value.detach() for name, value in self.logs.items()})

    @property
    def total(self) -> Tensor:
        """The sum that the player minimises."""
        return torch.stack(list(self.losses.values())).sum()


@dataclass(frozen=True)
class Figure:
    """Rows that show something about a game when they are laid out in rows of `columns`.

    modelled: (N, ...) values of `field`, as networks return them. title, caption: for the report.
    """

    field: Field
    modelled: Tensor
    columns: int
    title: str
    caption: str


class Game(nn.Module, ABC):
    """The networks that play against each other, and what each of them minimises.

    players: optimiser name to the names of the networks it trains, in the order of their turns.
    ema_networks: names of the networks that `generate` uses; the trainer keeps a moving average of these.
    tasks: by name; the first is the one that is evaluated and served.
    default_metric: the metric that selects the best step and the winner unless the settings name another; without the
        name of the features ("fid" stands for "fid_classifier" where features come from the classifier).
    pretrained: by name, networks from elsewhere that its losses look through: never trained, not saved with the model.
    stages: parts of the training in which some players rest; empty: all take part throughout. Only the last one's steps
        can be selected as the best.
    stage: the number of the stage that the next step belongs to, set by the trainer; -1, the last, in a finished model.
    """

    players: Mapping[str, tuple[str, ...]]
    ema_networks: tuple[str, ...]
    tasks: Mapping[str, Task]
    default_metric: str = "fid"
    pretrained: Mapping[str, ImageFeatures] = MappingProxyType({})
    stages: tuple[Stage, ...] = ()
    stage: int = -1

    @property
    def task(self) -> Task:
        """The first task."""
        return next(iter(self.tasks.values()))

    @property
    def active_players(self) -> tuple[str, ...]:
        """The players that take part in the current stage, in the order of their turns."""
        taking_part = self.stages[self.stage].players if self.stages else self.players
        return tuple(player for player in self.players if player in taking_part)

    @abstractmethod
    def losses(self, player: str, batch: Rows, step: int, micro_batch: int = 0) -> Losses:
        """What `player` minimises on a modelled batch of real data.

        step: training steps taken so far. micro_batch: which part of the step's batch this is; a game that keeps
        something from one player's turn for the next keeps it per part.
        """

    @abstractmethod
    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """Modelled outputs for modelled inputs and latents; task None: the first.

        Deterministic: it draws no random number. Callers put the game into eval mode.
        """

    def on_optimizer_step(self, player: str) -> None:
        """Called when a player's optimiser has stepped; games that clip weights do it here."""

    def on_step_end(self, processes: int) -> None:
        """Called when all players had their turns; games that adapt to what they saw of the data do it here.

        processes: how many took part, each on micro-batches of its own; buffers are their mean by now.
        """

    def on_stage_begin(self, averaged: Game) -> None:
        """Called before the first step of every stage but the first, with the averaged game as it is then.

        Games that continue from averaged weights or keep them copy them here. It may be called again with the same
        weights, when a training is resumed at this step.
        """

    def graph_key(self, _step: int) -> Hashable | None:
        """Steps with equal keys do the same work on new numbers and may share a captured graph.

        None, as here: unknown, so no step is captured. A game whose losses do not depend on `step` returns (); one with
        a lazy term returns whether it is due. No loss may then wait for the device or draw numbers in Python.
        """
        return None

    def alternatives(self) -> Mapping[str, Callable[[Rows], Rows]]:
        """By name, other answers of the networks to the first task, which `generate` has to be better than.

        Each takes modelled inputs and gives modelled outputs, as `generate` does; they are scored as baselines.
        """
        return {}

    def figures(self, _latents: Rows, _batch: Rows) -> dict[str, Figure]:
        """Figures by file name that show what this game is for, where samples do not; none for a plain one.

        latents: one row for each column of a figure, at least two. batch: modelled real data, at least one row.
        Called in eval mode and without gradients; draws no random number.
        """
        return {}


GAMES: KindRegistry[Game] = KindRegistry("game", "ganops.games", "GAMES")
