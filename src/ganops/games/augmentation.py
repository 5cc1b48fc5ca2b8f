"""Augmentations of images, real and generated alike, before the discriminator sees them."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from ganops.objectives.adaptive_augment import adaptive_augment
from ganops.objectives.diffaugment import PolicyName, augment
from ganops.schedules import between
from ganops.settings import Settings


class AugmentationSettings(Settings):
    """What all kinds share: `strength` is a 0-dim buffer of the game."""

    def fades(self, step: int) -> bool:
        """Whether what is done still changes from step to step."""
        del step
        return False

    def adapt(self, strength: Tensor, signs: Tensor, new_signs: Tensor) -> None:
        """Nothing adapts."""


class DiffAugmentSettings(AugmentationSettings):
    """The same policy for every image (Zhao et al. 2020, arXiv:2006.10738)."""

    kind: Literal["diffaugment"]
    policy: tuple[PolicyName, ...] = Field(default=("color", "translation", "cutout"), min_length=1)

    def apply(self, images: Tensor, _strength: Tensor, _step: int) -> Tensor:
        """(N, C, H, W) images, augmented."""
        return augment(images, self.policy)


class AdaSettings(AugmentationSettings):
    """With a probability that rises while the discriminator overfits (Karras et al. 2020, arXiv:2006.06676).

    target: the value at which the mean sign of D(x) is held. speed_kimg: thousands of images in which the probability
    can go from 0 to 1. images: number of real logits from which each move follows.
    """

    kind: Literal["ada"]
    target: float = Field(default=0.6, gt=-1, lt=1)
    speed_kimg: float = Field(default=500.0, gt=0)
    images: int = Field(default=256, ge=1)

    def apply(self, images: Tensor, strength: Tensor, _step: int) -> Tensor:
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


class FixedAdaSettings(AugmentationSettings):
    """The augmentations of ADA with a given probability, which does not depend on what the discriminator says.

    probability: from step `steps` on. first: what it moves from, along `schedule`, until then; None: it is constant.
    """

    kind: Literal["ada-fixed"]
    probability: float = Field(gt=0, le=1)
    first: float | None = Field(default=None, ge=0, le=1)
    steps: int = Field(default=1, ge=1)
    schedule: Literal["linear", "cosine"] = "linear"

    @model_validator(mode="after")
    def _moves_over_steps(self) -> FixedAdaSettings:
        if self.first is not None and self.steps == 1:
            raise ValueError("first: takes steps, the number of steps until the probability is reached")
        return self

    def fades(self, step: int) -> bool:
        """Whether the probability still changes from step to step."""
        return self.first is not None and step < self.steps

    def probability_at(self, step: int) -> float:
        """The probability in this step."""
        if self.first is None:
            return self.probability
        return between(self.first, self.probability, step / self.steps, self.schedule)

    def apply(self, images: Tensor, strength: Tensor, step: int) -> Tensor:
        """(N, C, H, W) images, augmented; `strength` becomes the probability of this step."""
        return adaptive_augment(images, strength.fill_(self.probability_at(step)))


Augmentation = Annotated[DiffAugmentSettings | AdaSettings | FixedAdaSettings, Field(discriminator="kind")]
