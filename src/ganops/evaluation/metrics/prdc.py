"""Precision, recall, density and coverage; see ganops/evaluation/manifolds.py."""

from __future__ import annotations

from ganops.evaluation.all_pairs import manifolds_of, neighbours_of
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_mean, from_share
from ganops.evaluation.manifolds import PRDCSettings
from ganops.evaluation.metric import FEATURES, Metric, MetricGroup, Result, at_the_end, has_features


def _measure(context: EvalContext) -> Result:
    found = manifolds_of(context)
    used = {
        "neighbours": neighbours_of(context),
        "generated": len(context.compared),
        "real": len(context.reals.pairwise),
    }
    scores = {
        "precision": from_share(found.precise),
        "recall": from_share(found.recalled),
        "density": from_mean(found.dense),
        "coverage": from_share(found.covered),
    }
    return Result(scores, used)


GROUP = MetricGroup(
    "prdc",
    (
        Metric("precision", "Precision", "higher", "The share of generated images that look like real ones.", True),
        Metric("recall", "Recall", "higher", "The share of real images that the generator could have made.", True),
        Metric("density", "Density", "higher", "Like precision, counting how many real images lie near; may exceed 1."),
        Metric("coverage", "Coverage", "higher", "The share of real images that have a generated one nearby."),
    ),
    has_features,
    at_the_end(_measure),
    FEATURES,
    settings=PRDCSettings,
)
