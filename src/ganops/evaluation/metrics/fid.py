"""FID: the Frechet distance between generated and real images (Heusel et al. 2017, arXiv:1706.08500)."""

from __future__ import annotations

from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_influence
from ganops.evaluation.frechet import frechet_influence
from ganops.evaluation.metric import Group, Score


def _measure(case: EvalContext) -> dict[str, Estimate]:
    value, influence = frechet_influence(case.generated.features, case.statistics, case.real.statistics)
    return {"fid": from_influence(value, influence)}


GROUP = Group(
    "fid",
    (Score("fid", "FID", "lower", "How far the features of generated and real images are apart, as two Gaussians."),),
    _measure,
)
