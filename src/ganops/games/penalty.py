"""The penalty a game's discriminator pays besides its adversarial loss, as a recipe asks for it."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from ganops.objectives.penalties import Discriminator, dragan_penalty, gradient_penalty, zero_centred_penalty
from ganops.settings import Settings


class PenaltySettings(Settings):
    """Which penalty, how much of it, and in which rounds.

    kind: r1 on real images, r1-r2 on real and on generated ones (R3GAN, arXiv:2501.05441).
    every: lazy regularisation: in one round of so many, with its weight multiplied by as much, so that the mean stays
        (Karras et al. 2019, arXiv:1912.04958).
    """

    kind: Literal["gradient-penalty", "r1", "r1-r2", "dragan"]
    weight: float = Field(gt=0)
    every: int = Field(default=1, ge=1)

    def term(self, discriminator: Discriminator, real: Tensor, fake: Tensor, step: int) -> dict[str, Tensor]:
        """The weighted penalty under its name, or nothing in a round that is left out. Draws what noise it needs."""
        if step % self.every:
            return {}
        if self.kind == "gradient-penalty":
            value = gradient_penalty(discriminator, real, fake, torch.rand_like(real[:, :1, :1, :1]))
        elif self.kind == "r1":
            value = zero_centred_penalty(discriminator, real)
        elif self.kind == "r1-r2":
            value = zero_centred_penalty(discriminator, real) + zero_centred_penalty(discriminator, fake)
        else:
            value = dragan_penalty(discriminator, real, torch.rand_like(real))
        return {self.kind: self.weight * self.every * value}
