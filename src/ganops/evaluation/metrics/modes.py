"""Mode coverage: which of the data's classes appear among generated images, and in which proportion.

Counted with a classifier as in VEEGAN (Srivastava et al. 2017, arXiv:1705.07761) and PacGAN (Lin et al. 2018,
arXiv:1712.04086).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.spec import LABEL
from ganops.evaluation.bootstrap import resampled
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_influence, share_error
from ganops.evaluation.metric import CLASSES, Metric, MetricGroup, Result, at_the_end, has_classes

# A class counts as found from a tenth of its real share on: a classifier's few errors must not find a missing one.
FOUND_SHARE = 0.1
SURE = 2.0  # standard errors by which the rarest class is chosen


@dataclass(frozen=True)
class Modes:
    """generated, real (k,): share of each class; found (k,): whether it counts as found;
    found_error: standard error of the number found, by the bootstrap.
    divergence: Kullback-Leibler divergence of the generated shares from the real ones, in nats; influence (n,) of each
    image on it.
    rarest: share of the class that is most surely too rare, relative to its real share.
    """

    generated: Tensor
    real: Tensor
    found: Tensor
    found_error: float
    divergence: float
    influence: Tensor
    rarest: Estimate


def modes(predicted: Tensor, labels: Tensor, classes: int, found_share: float = FOUND_SHARE) -> Modes:
    """Compare the classes predicted for generated images (n,) with the labels of real ones (m,), both int64.

    found_share: share of a class's real share from which on it counts as found; 0 asks for a single image, as the
    papers do. A class without real images is left out of the divergence.
    """
    counts, total = torch.bincount(predicted, minlength=classes), len(predicted)
    real = torch.bincount(labels, minlength=classes).double() / len(labels)

    def found(counts: Tensor) -> Tensor:
        return (counts > 0) & (counts / total >= found_share * real)

    generated = counts.double() / total
    logs = torch.where((generated > 0) & (real > 0), (generated / real).log(), 0.0)
    divergence = float((generated * logs).sum())
    found_error = float(found(resampled(counts)).sum(dim=1).double().std())
    influence = logs[predicted] - divergence
    return Modes(generated, real, found(counts), found_error, divergence, influence, _rarest(generated, real, total))


def _rarest(generated: Tensor, real: Tensor, count: int) -> Estimate:
    """The class with the smallest upper bound: a class too small to tell whether it is lost does not hide another."""
    shares = [
        Estimate(share / its, share_error(share, count) / its)
        for share, its in zip(generated.tolist(), real.tolist(), strict=True)
        if its > 0
    ]
    return min(shares, key=lambda share: share.value + SURE * (share.error or 0.0))


def modes_of(context: EvalContext) -> Modes:
    """The modes of all samples; for `EvalContext.cached`."""
    label, labels = context.spec.field(LABEL, CategoryField), context.reals.compared.labels
    predicted = context.predicted_class
    assert predicted is not None
    assert labels is not None
    if label.channel_classes:
        # Stacked images are counted as the papers do: any image finds its mode, and all modes are equally likely.
        return modes(predicted, torch.arange(len(label.classes)), len(label.classes), found_share=0)
    return modes(predicted, labels, len(label.classes))


def _measure(context: EvalContext) -> Result:
    found = context.cached(modes_of)
    return Result(
        {
            "modes": Estimate(float(found.found.sum()), found.found_error),
            "mode_kl": from_influence(found.divergence, found.influence),
            "rarest_class": found.rarest,
        }
    )


GROUP = MetricGroup(
    "modes",
    (
        Metric("modes", "Modes", "higher", "How many of the data's classes the generator makes."),
        Metric("mode_kl", "Mode KL", "lower", "How far the shares of the classes are from the real ones."),
        Metric("rarest_class", "Rarest class", "higher", "Its share among samples by its real share; 0: it is lost."),
    ),
    has_classes,
    at_the_end(_measure),
    CLASSES,
    needs_classifier=True,
)
