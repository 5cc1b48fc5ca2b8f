"""The best step of a training by a validation metric, kept beside the last."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from ganops.games.game import Game

Weights = dict[str, dict[str, Tensor]]  # by network, then by the name in its state dict


class Scorer(Protocol):
    """Says how good a game's samples are, as one finite number: the lower the better.

    It is called while training goes on: it must leave the game and torch's random generators as it finds them, and say
    the same of the same weights.
    name: of the curve that its scores make.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, game: Game) -> float: ...


class Best:
    """The weights of the step with the lowest score; the first of equals.

    step: rounds played then, 0 before the first score.
    """

    def __init__(self) -> None:
        self.step, self.score = 0, math.inf
        self.weights: Weights = {}

    def see(self, step: int, score: float, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Keep a copy of the weights where the score is lower than any before."""
        if score < self.score:
            self.step, self.score = step, score
            self.weights = {
                network: {name: tensor.detach().clone() for name, tensor in state.items()}
                for network, state in weights.items()
            }

    def state(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        return {"step": self.step, "score": self.score, "weights": self.weights}

    def load(self, state: dict[str, Any]) -> None:
        """Put back what `state` gave."""
        self.step, self.score, self.weights = state["step"], state["score"], state["weights"]
