"""Perceptual distance: how far an output looks from its truth, to a network that was trained on photos."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from ganops.data.fields.image import first_image
from ganops.data.rows import Rows
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_mean
from ganops.evaluation.metric import PAIRED_IMAGES, Metric, MetricGroup, Result, makes_paired_images
from ganops.networks.image_features.features import IMAGE_FEATURES, ImageFeatures
from ganops.settings import Settings

EPSILON = 1e-10  # of lengths, as LPIPS has it


class PerceptualMetricSettings(Settings):
    """features: the network, as in recipes: `{kind: efficientnet-lite0}`, or `{kind: vgg19, weights: FILE}`."""

    features: dict[str, Any] = Field(default_factory=lambda: {"kind": "efficientnet-lite0"})


def perceptual_distance(features: ImageFeatures, outputs: Tensor, truth: Tensor) -> Tensor:
    """(n,) distances of stored images (n, 1 or 3, H, W).

    LPIPS before anything is learnt (Zhang et al. 2018, arXiv:1801.03924, equation 1 with all w equal): at every
    position of every layer both vectors get length 1; squared differences are summed over channels, averaged over
    positions, and summed over layers by their weights.
    """
    total = torch.zeros(len(outputs), dtype=torch.float64)
    with torch.no_grad():
        maps = [features(images.float() / 127.5 - 1) for images in (outputs, truth)]
    for weight, one, other in zip(features.layers.values(), *maps, strict=True):
        squares = (_unit(one) - _unit(other)).square().sum(dim=1)
        total += weight * squares.mean(dim=(1, 2)).double().cpu()
    return total


def _unit(maps: Tensor) -> Tensor:
    return F.normalize(maps.float(), dim=1, eps=EPSILON)


class _Perceptual:
    def __init__(self, context: EvalContext) -> None:
        column = first_image(context.task.outputs)
        assert column is not None, "the group applies to images"
        self.column = column
        settings = context.settings_of("perceptual", PerceptualMetricSettings)
        self.features = IMAGE_FEATURES.build(settings.features, "evaluate.metrics.perceptual.features")
        self._values: list[Tensor] = []

    def update(self, _inputs: Rows | None, outputs: Rows, truth: Rows | None) -> None:
        """Take in one batch."""
        assert truth is not None, "the task says that it has a truth"
        self._values.append(perceptual_distance(self.features, outputs[self.column], truth[self.column]))

    def compute(self) -> Result:
        """The mean over pairs, with its standard error, under the name of the features."""
        used = {
            "features": self.features.kind,
            "sha256": self.features.sha256,
            "layers": self.features.layers,
            "size": "images as they are",
        }
        return Result({f"perceptual_{self.features.kind}": from_mean(torch.cat(self._values))}, used)


GROUP = MetricGroup(
    "perceptual",
    (
        Metric(
            "perceptual_efficientnet-lite0",
            "Perceptual distance (EfficientNet-Lite0)",
            "lower",
            "Distance of output and truth in the feature maps of EfficientNet-Lite0: 0 is equal.",
            True,
        ),
        Metric(
            "perceptual_vgg19",
            "Perceptual distance (VGG19)",
            "lower",
            "Distance of output and truth in the feature maps of VGG19: 0 is equal.",
            True,
        ),
    ),
    makes_paired_images,
    _Perceptual,
    PAIRED_IMAGES,
    settings=PerceptualMetricSettings,
    needs_features=False,
)
