"""What the score tells, and where its formula comes from. Copy to src/ganops/evaluation/metrics/, rename, fill in.

The file is found by itself: `evaluate.scores` asks for it by the group's name; report, leaderboard and gate know it.
"""

from __future__ import annotations

from torch import Tensor

from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_influence
from ganops.evaluation.metric import Group, Score


def brightness_of_features(features: Tensor) -> Tensor:
    """(n,) the mean feature of each image, for features (n, d): a pure function, to be tested without any image."""
    return features.mean(dim=1)


def _measure(case: EvalContext) -> dict[str, Estimate]:
    """Scores from all that a case knows: features and logits of both sides, classes, the game itself."""
    real = float(brightness_of_features(case.real.compared.features).double().mean())
    generated = brightness_of_features(case.generated.features).double()
    # One influence for each generated image: how the score would change if that image weighed more.
    return {"template_brightness": from_influence(float(generated.mean()) - real, generated)}


GROUP = Group(
    "template-brightness",
    (Score("template_brightness", "Brightness", None, "How much stronger the mean feature is than the real images'."),),
    _measure,
)
