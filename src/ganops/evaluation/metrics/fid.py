"""FID: the Frechet distance between generated and real samples (Heusel et al. 2017, arXiv:1706.08500)."""

from __future__ import annotations

from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_influence
from ganops.evaluation.frechet import frechet_influence
from ganops.evaluation.metric import FEATURES, Metric, MetricGroup, Result, at_the_end, has_features


def _measure(context: EvalContext) -> Result:
    value, influence = frechet_influence(context.generated.features, context.statistics, context.reals.statistics)
    return Result({"fid": from_influence(value, influence)})


GROUP = MetricGroup(
    "fid",
    (
        Metric(
            "fid",
            "FID",
            "lower",
            "Distance between generated and real images, each taken as one Gaussian in feature space.",
            headline=True,
            by_features=True,
        ),
    ),
    has_features,
    at_the_end(_measure),
    FEATURES,
)
