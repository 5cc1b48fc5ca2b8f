"""The interface between a game and everything else: who plays, and what each player minimises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ganops.registry_of_kinds import KindRegistry


@dataclass(frozen=True)
class Batch:
    """What the data have, for one turn.

    images: (N, C, H, W) float in [-1, 1], channels-last.
    labels: (N,) int64, or None.
    sources: (N, C', H', W') float in [-1, 1]: the images to be translated or enlarged, or None.
    captions: (N, L) int64 token ids, or None.
    part: which part of the round's batch this is; a game that keeps something from one turn for the next keeps it
        per part.
    """

    images: Tensor
    labels: Tensor | None = None
    sources: Tensor | None = None
    captions: Tensor | None = None
    part: int = 0

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Request:
    """What images are asked for; a game reads what it knows of and ignores the rest.

    latents: (N, latent_dim) float, standard normal.
    labels: (N,) int64, or None where the data have no classes.
    sources, captions: as in Batch.
    """

    latents: Tensor
    labels: Tensor | None = None
    sources: Tensor | None = None
    captions: Tensor | None = None

    def __len__(self) -> int:
        return len(self.latents)


@dataclass(frozen=True)
class Losses:
    """What one player's turn gave.

    minimised: named scalar terms; their sum is minimised.
    observed: named scalars, detached, that are only looked at (D(x), D(G(z)), a gradient's norm).
    """

    losses: dict[str, Tensor]
    logs: dict[str, Tensor] = field(default_factory=dict)

    @property
    def total(self) -> Tensor:
        """The sum that the player minimises."""
        return torch.stack(list(self.losses.values())).sum()


@dataclass(frozen=True)
class Player:
    """Who takes a turn: the names of the networks it trains, in the order of its parameters."""

    networks: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """Images that show something about a game when they are laid out in rows of `columns`.

    images: (N, C, H, W) float in [-1, 1].
    """

    images: Tensor
    columns: int


class Game(nn.Module, ABC):
    """The networks that play against each other, and what each of them minimises.

    players: in the order of their turns.
    averaged: names of the networks that make samples; the trainer keeps a moving average of these, and only these
        are used by `generate`.
    latent_dim: length of one latent z.
    class_count: classes it makes images of on demand; 0 where it knows no classes.
    """

    players: dict[str, Player]
    ema_networks: tuple[str, ...]
    latent_dim: int
    class_count: int = 0

    @abstractmethod
    def losses(self, player: str, batch: Batch, step: int) -> Losses:
        """Play one player's turn on a batch of real data; `step` counts rounds from 0."""

    @abstractmethod
    def generate(self, request: Request) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] for a request; no gradients, no random numbers of its own."""

    def on_optimizer_step(self, player: str) -> None:
        """Called when a player's optimiser has stepped; games that clip weights do it here."""

    def on_step_end(self, processes: int) -> None:
        """Called when all players had their turns; games that follow what they saw of the data do it here.

        processes: how many played the round, each on parts of the batch of its own; buffers are their mean by now.
        """

    def graph_key(self, _step: int) -> Hashable | None:
        """What of a round's work depends on `step`: rounds with equal rhythms do the same work on new numbers.

        Such rounds are recorded once and replayed. None, as here: nobody knows, so that every round is played anew. A
        game whose turns do not look at `step` returns (); one that pays something in one round of eight returns whether
        this is such a round. No part of a turn may then wait for the device or draw numbers in Python.
        """
        return None

    def figures(self, _latents: Tensor, _batch: Batch) -> dict[str, Figure]:
        """Pictures by name that show what this game is for, where samples do not; none for a plain one.

        latents: (N, latent_dim) standard normal, one for each column, at least two. batch: real data to work on, at
        least one image. Called in eval mode and without gradients; no random numbers of its own.
        """
        return {}


GAMES: KindRegistry[Game] = KindRegistry("game", "ganops.games")
