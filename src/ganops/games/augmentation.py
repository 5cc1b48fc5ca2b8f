"""What a recipe does to images, real and generated alike, before the discriminator sees them."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from ganops.objectives.adaptive_augment import adaptive_augment
from ganops.objectives.diffaugment import PolicyName, augment
from ganops.settings import Settings


class DiffAugmentSettings(Settings):
    """Always the same policy, applied to every image (Zhao et al. 2020, arXiv:2006.10738)."""

    kind: Literal["diffaugment"]
    policy: tuple[PolicyName, ...] = Field(default=("color", "translation", "cutout"), min_length=1)

    def apply(self, images: Tensor, _strength: Tensor) -> Tensor:
        """Augmented images, (N, C, H, W) as before."""
        return augment(images, self.policy)

    def adapt(self, strength: Tensor, signs: Tensor, seen: Tensor) -> None:
        """Nothing adapts."""


class AdaSettings(Settings):
    """With a probability that rises while the discriminator overfits (Karras et al. 2020, arXiv:2006.06676).

    target: what the mean sign of D(x) is held at. speed_kimg: thousands of images in which the probability can go from
    0 to 1. images: how many real logits are looked at before it moves.
    """

    kind: Literal["ada"]
    target: float = Field(default=0.6, gt=-1, lt=1)
    speed_kimg: float = Field(default=500.0, gt=0)
    images: int = Field(default=256, ge=1)

    def apply(self, images: Tensor, strength: Tensor) -> Tensor:
        """Augmented images, (N, C, H, W) as before."""
        return adaptive_augment(images, strength)

    @torch.no_grad()
    def adapt(self, strength: Tensor, signs: Tensor, seen: Tensor) -> None:
        """Move `strength` (0-dim, in place) by the overfitting seen in `signs` (2,): sum of signs and their number.

        seen: (2,) the same of the last round, which is added. All on the device, so that training never waits for it.
        """
        signs += seen
        due = signs[1] >= self.images
        direction = (signs[0] / signs[1] - self.target).sign()
        moved = strength + direction * signs[1] / (1000 * self.speed_kimg)
        strength.copy_(torch.where(due, moved.clamp(0, 1), strength))
        signs.mul_(~due)


Augmentation = Annotated[DiffAugmentSettings | AdaSettings, Field(discriminator="kind")]
