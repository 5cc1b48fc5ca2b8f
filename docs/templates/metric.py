"""What the metric measures, and where its formula comes from. Copy to src/ganops/evaluation/metrics/, rename, fill in.

The file is found by itself: `evaluate.metrics` asks for it by the group's name; report, leaderboard and gate know it.
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_influence
from ganops.evaluation.metric import FEATURES, Metric, MetricGroup, Result, at_the_end, has_features
from ganops.settings import Settings


class BrightnessSettings(Settings):
    """What `evaluate.metrics.template-brightness` may set. power: to which features are raised."""

    power: float = Field(default=1.0, gt=0)


def brightness_of_features(features: Tensor, power: float) -> Tensor:
    """(n,) the mean feature of each image, for features (n, d): a pure function, to be tested without any image."""
    return features.clamp(min=0).pow(power).mean(dim=1)


def _measure(context: EvalContext) -> Result:
    """Scores from what the context has gathered: features and logits of both sides, classes, the model itself."""
    power = context.settings_of("template-brightness", BrightnessSettings).power
    real = float(brightness_of_features(context.reals.compared.features, power).double().mean())
    generated = brightness_of_features(context.generated.features, power).double()
    # One influence for each generated image: how the score would change if that image weighed more.
    return Result({"template_brightness": from_influence(float(generated.mean()) - real, generated)})


GROUP = MetricGroup(
    "template-brightness",
    (
        Metric(
            "template_brightness", "Brightness", None, "How much stronger the mean feature is than the real images'."
        ),
    ),
    has_features,  # for which tasks and data it makes sense
    at_the_end(_measure),  # or a class with update(inputs, outputs, truth) and compute(), as in metrics/pairs.py
    FEATURES,
    settings=BrightnessSettings,
)
