"""Scores class by class: KID within each, and the gap between the best and the worst served class.

KID and not FID: FID of few images is mostly bias (in 128 features 2.6 for a perfect generator with 500 images a class,
30 with 50), so that a mean over classes would say how many images there are. After intra-FID (Miyato and Koyama 2018,
arXiv:1802.05637, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt

from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.spec import LABEL, DataSpec
from ganops.evaluation.all_pairs import manifolds_of, neighbours_of
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_share
from ganops.evaluation.kernel_distance import mmd2
from ganops.evaluation.metric import Metric, MetricGroup, Result, Table, at_the_end, has_classes
from ganops.evaluation.metrics.modes import modes_of
from ganops.games.task import Task

FEWEST, MOST = 10, 1000  # images of a class on each side: fewer give no KID, more are not used
COLUMNS = ("class", "real_share", "generated_share", "kid", "precision", "coverage")


@dataclass(frozen=True)
class ClassRow:
    """One class; None where it has too few images.

    real_share, generated_share: of all images. kid: within the class. precision: share of its generated images that
    look real; coverage: share of its real images with a generated one nearby.
    """

    name: str
    real_share: float
    generated_share: float
    kid: Estimate | None
    precision: Estimate | None
    coverage: Estimate | None


def class_rows(context: EvalContext) -> list[ClassRow]:
    """The table of all classes; for `EvalContext.cached`."""
    real, generated = context.reals.compared, context.classes
    assert real.labels is not None
    shares, found = context.cached(modes_of), manifolds_of(context)
    compared, pairwise = generated[context.compared_rows], real.labels[context.reals.pairwise]
    return [
        ClassRow(
            name,
            float(shares.real[index]),
            float(shares.generated[index]),
            _kid(context.generated.features[generated == index], real.features[real.labels == index]),
            _share(found.precise[compared == index]),
            _share(found.covered[pairwise == index]),
        )
        for index, name in enumerate(context.spec.classes)
    ]


def _kid(generated: Tensor, real: Tensor) -> Estimate | None:
    if min(len(generated), len(real)) < FEWEST:
        return None
    return mmd2(generated[:MOST], real[:MOST])


def _share(found: Tensor) -> Estimate | None:
    return from_share(found) if len(found) else None


def _measure(context: EvalContext) -> Result:
    """A class without images has no KID, and then there is no mean over classes either."""
    rows = context.cached(class_rows)
    scores: dict[str, Estimate] = {}
    kids = [row.kid for row in rows if row.kid is not None]
    if len(kids) == len(rows):
        error = sqrt(sum((kid.error or 0.0) ** 2 for kid in kids)) / len(kids)
        scores["intra_kid"] = Estimate(sum(kid.value for kid in kids) / len(kids), error)
    for key, values in (
        ("precision_gap", [row.precision for row in rows]),
        ("coverage_gap", [row.coverage for row in rows]),
    ):
        known = [estimate for estimate in values if estimate is not None]
        if known:
            scores[key] = _gap(known)
    used = {"fewest": FEWEST, "most": MOST, "neighbours": neighbours_of(context)}
    return Result(scores, used, {"classes": _table(rows)})


def _table(rows: list[ClassRow]) -> Table:
    def cells(row: ClassRow) -> list[str | float | None]:
        estimates = [None if each is None else each.value for each in (row.kid, row.precision, row.coverage)]
        return [row.name, row.real_share, row.generated_share, *estimates]

    return Table("Classes", COLUMNS, [cells(row) for row in rows])


def _gap(estimates: list[Estimate]) -> Estimate:
    """Between the highest and the lowest, as certain as these two are."""
    best, worst = (choose(estimates, key=lambda estimate: estimate.value) for choose in (max, min))
    return Estimate(best.value - worst.value, hypot(best.error or 0.0, worst.error or 0.0))


def _applies(task: Task, spec: DataSpec) -> bool:
    # Combinations of what the channels show are far too many for each to have the images that a score needs.
    return has_classes(task, spec) and not spec.field(LABEL, CategoryField).channel_classes


GROUP = MetricGroup(
    "by-class",
    (
        Metric("intra_kid", "Intra-KID", "lower", "The mean over classes of the KID within each.", by_features=True),
        Metric("precision_gap", "Precision gap", "lower", "Precision of the best class minus that of the worst."),
        Metric("coverage_gap", "Coverage gap", "lower", "Coverage of the best class minus that of the worst."),
    ),
    _applies,
    at_the_end(_measure),
    "images or vectors of two or more classes that are not combinations",
    needs_classifier=True,
    validates=False,
)
