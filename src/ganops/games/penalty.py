"""The penalty a game's discriminator pays besides its adversarial loss, as a recipe asks for it."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from ganops.games.lazy import LazySettings
from ganops.objectives.penalties import Discriminator, dragan_penalty, gradient_penalty, zero_centred_penalty


class PenaltySettings(LazySettings):
    """Which penalty, how much of it, and in which rounds.

    kind: r1 on real images, r1-r2 on real and on generated ones (R3GAN, arXiv:2501.05441).
    last_weight: what the weight falls to, by the same factor in each of `rounds` rounds; None keeps it. A strong
        one spreads the fakes over all modes, a weak one lets the discriminator see detail (R3GAN lowers its gamma too).
    """

    kind: Literal["gradient-penalty", "r1", "r1-r2", "dragan"]
    weight: float = Field(gt=0)
    last_weight: float | None = Field(default=None, gt=0)
    rounds: int = Field(default=1, ge=1)

    def fades(self, step: int) -> bool:
        """Whether its weight still changes from round to round."""
        return self.last_weight is not None and step < self.rounds

    def weight_at(self, step: int) -> float:
        """The weight in round `step`, before it is multiplied for rounds that are left out."""
        if self.last_weight is None:
            return self.weight
        share: float = (self.last_weight / self.weight) ** min(1.0, step / self.rounds)
        return self.weight * share

    def term(self, discriminator: Discriminator, real: Tensor, fake: Tensor, step: int) -> dict[str, Tensor]:
        """The weighted penalty under its name, or nothing in a round that is left out. Draws what noise it needs."""
        if not self.due(step):
            return {}
        if self.kind == "gradient-penalty":
            value = gradient_penalty(discriminator, real, fake, torch.rand_like(real[:, :1, :1, :1]))
        elif self.kind == "r1":
            value = zero_centred_penalty(discriminator, real)
        elif self.kind == "r1-r2":
            value = zero_centred_penalty(discriminator, real) + zero_centred_penalty(discriminator, fake)
        else:
            value = dragan_penalty(discriminator, real, torch.rand_like(real))
        return {self.kind: self.weight_at(step) * self.every * value}
