"""Scores class by class: intra-FID, and the gap between the best and the worst served class.

Intra-FID: Miyato and Koyama 2018, arXiv:1802.05637, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt

from torch import Tensor

from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_influence, from_share
from ganops.evaluation.frechet import frechet_influence
from ganops.evaluation.metric import Group, Score
from ganops.evaluation.metrics.modes import modes_of
from ganops.evaluation.metrics.prdc import manifolds_of
from ganops.evaluation.statistics import statistics_of


@dataclass(frozen=True)
class ClassRow:
    """One class; None where it has too few images.

    real_share, generated_share: of all images. fid: within the class. precision: share of its generated images that
    look real; coverage: share of its real images with a generated one nearby.
    """

    name: str
    real_share: float
    generated_share: float
    fid: Estimate | None
    precision: Estimate | None
    coverage: Estimate | None


def class_rows(case: EvalContext) -> list[ClassRow]:
    """The table of a case's classes; for `EvalContext.once`."""
    real, generated = case.real.compared, case.classes
    assert real.labels is not None
    assert generated is not None
    shares, found = case.once(modes_of), case.once(manifolds_of)
    compared, pairwise = generated[: case.protocol.pairwise_count], real.labels[case.real.pairwise]
    return [
        ClassRow(
            name,
            float(shares.real[index]),
            float(shares.generated[index]),
            _fid(case.generated.features[generated == index], real.features[real.labels == index]),
            _share(found.precise[compared == index]),
            _share(found.covered[pairwise == index]),
        )
        for index, name in enumerate(case.real.description.spec.classes)
    ]


def _fid(generated: Tensor, real: Tensor) -> Estimate | None:
    if min(len(generated), len(real)) < 2:
        return None
    value, influence = frechet_influence(generated, statistics_of([generated]), statistics_of([real]))
    return from_influence(value, influence)


def _share(found: Tensor) -> Estimate | None:
    return from_share(found) if len(found) else None


def _measure(case: EvalContext) -> dict[str, Estimate]:
    """A class without images has no intra-FID, and then there is no mean of them either: no number, not a wrong one."""
    rows = case.once(class_rows)
    scores: dict[str, Estimate] = {}
    fids = [row.fid for row in rows if row.fid is not None]
    if len(fids) == len(rows):
        error = sqrt(sum((fid.error or 0.0) ** 2 for fid in fids)) / len(fids)
        scores["intra_fid"] = Estimate(sum(fid.value for fid in fids) / len(fids), error)
    for key, values in (
        ("precision_gap", [row.precision for row in rows]),
        ("coverage_gap", [row.coverage for row in rows]),
    ):
        known = [estimate for estimate in values if estimate is not None]
        if known:
            scores[key] = _gap(known)
    return scores


def _gap(estimates: list[Estimate]) -> Estimate:
    """Between the highest and the lowest, as sure as these two are."""
    best, worst = (choose(estimates, key=lambda estimate: estimate.value) for choose in (max, min))
    return Estimate(best.value - worst.value, hypot(best.error or 0.0, worst.error or 0.0))


def _applies(case: EvalContext) -> bool:
    # Combinations of what the channels show are far too many for each to have the images that a score needs.
    combined = bool(case.real.description.spec.channel_classes)
    return case.classes is not None and case.predicted is not None and not combined


GROUP = Group(
    "by-class",
    (
        Score("intra_fid", "Intra-FID", "lower", "The mean over classes of the FID within each."),
        Score("precision_gap", "Precision gap", "lower", "Between the class whose images look most real and least."),
        Score("coverage_gap", "Coverage gap", "lower", "Between the class that is covered best and worst."),
    ),
    _measure,
    _applies,
    needs_classifier=True,
)
