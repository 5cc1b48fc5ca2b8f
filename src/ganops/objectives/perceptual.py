"""The perceptual loss: how far apart two images look to a network that was trained on photos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ganops.networks.image_features.features import IMAGE_FEATURES, ImageFeatures
from ganops.settings import Settings

DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": F.l1_loss, "l2": F.mse_loss}


class PerceptualSettings(Settings):
    """weight: of the loss in the player's sum. distance: between maps, a mean over all their numbers.

    features: the frozen network: `{kind: efficientnet-lite0}`, whose weights come with a package, or
    `{kind: vgg19, weights: FILE}` as published; `layers` in it gives each layer its weight.
    """

    weight: float = Field(default=1.0, gt=0)
    distance: Literal["l1", "l2"] = "l1"
    features: dict[str, Any] = Field(default_factory=lambda: {"kind": "efficientnet-lite0"})


class PerceptualLoss:
    """Sum over layers of the distance between the maps of two images (Johnson et al. 2016, arXiv:1603.08155).

    It is not a module: its network belongs to no player and is not saved with the model; see ImageFeatures.
    """

    def __init__(self, settings: PerceptualSettings, where: str = "game.perceptual.features") -> None:
        self.weight, self.distance = settings.weight, DISTANCES[settings.distance]
        self.features: ImageFeatures = IMAGE_FEATURES.build(settings.features, where)

    def __call__(self, generated: Tensor, truth: Tensor) -> Tensor:
        """The weighted loss, a scalar, of images (N, 1 or 3, H, W) in [-1, 1]; no gradient reaches `truth`."""
        with torch.no_grad():
            wanted = self.features(truth)
        pairs = zip(self.features(generated), wanted, self.features.layers.values(), strict=True)
        terms = [weight * self.distance(found.float(), target.float()) for found, target, weight in pairs]
        return self.weight * torch.stack(terms).sum()
