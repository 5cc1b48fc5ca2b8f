"""The best step of a training by a validation metric, kept as well as the last."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from torch import Tensor

from ganops.games.game import Game

Weights = dict[str, dict[str, Tensor]]  # by network, then by the name in its state dict
Direction = Literal["lower", "higher"]


class Validation(Protocol):
    """Measures how good a game's outputs are, as one finite number.

    It is called during training: it must leave the game and torch's random generators as it finds them, and return the
    same value for the same weights.
    name: of its curve. better: which values are better.
    """

    @property
    def name(self) -> str: ...

    @property
    def better(self) -> Direction: ...

    def __call__(self, game: Game) -> float: ...


class Best:
    """The weights of the step with the best value, the first of equals.

    step, value: 0 and NaN before the first validation.
    """

    def __init__(self, better: Direction = "lower") -> None:
        self.better = better
        self.step, self.value = 0, math.nan
        self.weights: Weights = {}

    def update(self, step: int, value: float, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Keep a copy of the weights where the value is better than any before."""
        improved = value < self.value if self.better == "lower" else value > self.value
        if not self.weights or improved:
            self.step, self.value = step, value
            self.weights = {
                network: {name: tensor.detach().clone() for name, tensor in state.items()}
                for network, state in weights.items()
            }

    def state(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        return {"step": self.step, "value": self.value, "weights": self.weights}

    def load(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.step, self.value, self.weights = state["step"], state["value"], state["weights"]
