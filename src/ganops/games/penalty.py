"""The gradient penalty that a recipe adds to the discriminator's loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from ganops.games.lazy import LazySettings
from ganops.objectives.penalties import (
    Critic,
    dragan_penalty,
    gradient_penalty,
    uniform_per_row,
    zero_centred_penalty,
)
from ganops.schedules import Curve, between

PenaltyName = Literal["gradient-penalty", "r1", "r1-r2", "dragan"]

# Each takes the critic, real and generated rows, and draws the noise it needs.
PENALTIES: dict[PenaltyName, Callable[[Critic, Tensor, Tensor], Tensor]] = {
    "gradient-penalty": lambda d, real, fake: gradient_penalty(d, real, fake, uniform_per_row(real)),
    "r1": lambda d, real, _: zero_centred_penalty(d, real),
    "r1-r2": lambda d, real, fake: zero_centred_penalty(d, real) + zero_centred_penalty(d, fake),
    "dragan": lambda d, real, _: dragan_penalty(d, real, torch.rand_like(real), uniform_per_row(real)),
}


class PenaltySettings(LazySettings):
    """Which penalty, with which weight, in which steps.

    kind: r1 on real rows, r1-r2 on real and on generated ones (R3GAN, arXiv:2501.05441).
    last_weight: what the weight moves to over `steps` steps, along `schedule` (geometric: by the same factor in each);
        None keeps it. A large weight spreads generated rows over all modes, a small one lets the discriminator see
        detail (R3GAN lowers gamma too).
    """

    kind: PenaltyName
    weight: float = Field(gt=0)
    last_weight: float | None = Field(default=None, gt=0)
    steps: int = Field(default=1, ge=1)
    schedule: Curve = "geometric"

    @model_validator(mode="after")
    def _moves_over_steps(self) -> PenaltySettings:
        if self.last_weight is not None and self.steps == 1:
            raise ValueError("last_weight: takes steps, the number of steps until the weight is reached")
        return self

    def fades(self, step: int) -> bool:
        """Whether the weight still changes from step to step."""
        return self.last_weight is not None and step < self.steps

    def weight_at(self, step: int) -> float:
        """The weight in this step, before it is multiplied for the steps that are left out."""
        if self.last_weight is None:
            return self.weight
        return between(self.weight, self.last_weight, step / self.steps, self.schedule)

    def term(self, critic: Critic, real: Tensor, fake: Tensor, step: int) -> dict[str, Tensor]:
        """The weighted penalty under its name; empty in a step that is left out."""
        if not self.due(step):
            return {}
        return {self.kind: self.weight_at(step) * self.every * PENALTIES[self.kind](critic, real, fake)}
