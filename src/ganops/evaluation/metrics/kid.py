"""KID, the kernel Inception distance (Binkowski et al. 2018, arXiv:1801.01401)."""

from __future__ import annotations

from ganops.evaluation.all_pairs import all_pairs, subsets_of
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.kernel_distance import KIDSettings
from ganops.evaluation.metric import FEATURES, Metric, MetricGroup, Result, at_the_end, has_features


def _measure(context: EvalContext) -> Result:
    distance = context.cached(all_pairs).distance
    assert distance is not None
    subsets, size = subsets_of(context)
    used = {
        "subsets": subsets,
        "subset_size": size,
        "generated": len(context.compared),
        "real": len(context.reals.pairwise),
    }
    return Result({"kid": Estimate(distance.mean, distance.error)}, used)


GROUP = MetricGroup(
    "kid",
    (
        Metric(
            "kid",
            "KID",
            "lower",
            "Like FID, without its bias for few images and without assuming Gaussians.",
            headline=True,
            by_features=True,
        ),
    ),
    has_features,
    at_the_end(_measure),
    FEATURES,
    settings=KIDSettings,
)
