"""Augmentations of images, real and generated alike, before the discriminator sees them."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from ganops.objectives.adaptive_augment import adaptive_augment
from ganops.objectives.diffaugment import PolicyName, augment
from ganops.settings import Settings


class DiffAugmentSettings(Settings):
    """The same policy for every image (Zhao et al. 2020, arXiv:2006.10738)."""

    kind: Literal["diffaugment"]
    policy: tuple[PolicyName, ...] = Field(default=("color", "translation", "cutout"), min_length=1)

    def apply(self, images: Tensor, _strength: Tensor) -> Tensor:
        """(N, C, H, W) images, augmented."""
        return augment(images, self.policy)

    def adapt(self, strength: Tensor, signs: Tensor, new_signs: Tensor) -> None:
        """Nothing adapts."""


class AdaSettings(Settings):
    """With a probability that rises while the discriminator overfits (Karras et al. 2020, arXiv:2006.06676).

    target: the value at which the mean sign of D(x) is held. speed_kimg: thousands of images in which the probability
    can go from 0 to 1. images: number of real logits from which each move follows.
    """

    kind: Literal["ada"]
    target: float = Field(default=0.6, gt=-1, lt=1)
    speed_kimg: float = Field(default=500.0, gt=0)
    images: int = Field(default=256, ge=1)

    def apply(self, images: Tensor, strength: Tensor) -> Tensor:
        """(N, C, H, W) images, augmented with the probability `strength`."""
        return adaptive_augment(images, strength)

    @torch.no_grad()
    def adapt(self, strength: Tensor, signs: Tensor, new_signs: Tensor) -> None:
        """Move `strength` (0-dim, in place) by the overfitting that `signs` (2,) show: sum of signs and their number.

        new_signs: (2,) those of the last step, which are added first. Stays on the device: training does not wait.
        """
        signs += new_signs
        due = signs[1] >= self.images
        direction = (signs[0] / signs[1] - self.target).sign()
        moved = strength + direction * signs[1] / (1000 * self.speed_kimg)
        strength.copy_(torch.where(due, moved.clamp(0, 1), strength))
        signs.mul_(~due)


Augmentation = Annotated[DiffAugmentSettings | AdaSettings, Field(discriminator="kind")]
