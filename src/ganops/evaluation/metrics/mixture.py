"""How well a known mixture of Gaussians is learnt, counted as VEEGAN and PacGAN do on rings and grids.

Srivastava et al. 2017, arXiv:1705.07761; Lin et al. 2017, arXiv:1712.04086, section 4.1, with 2,500 samples: one is of
high quality within three standard deviations of the nearest centre, and a mode is found where there is one. Their
reverse KL is `mode_kl` of the group `modes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganops.data.fields.vector import VectorField
from ganops.data.mixture import Mixture
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.evaluation.bootstrap import resampled
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_share
from ganops.evaluation.extractors.mixture import MixtureNetwork
from ganops.evaluation.metric import Metric, MetricGroup, Result, scored_field
from ganops.games.task import Task

WITHIN_SIGMAS = 3.0


@dataclass(frozen=True)
class Nearest:
    """mode: (n,) the nearest centre of each point. high_quality: (n,) whether it is within three sigma of that."""

    mode: Tensor
    high_quality: Tensor

    @property
    def modes_found(self) -> int:
        """How many centres have a point of high quality."""
        return int(self.mode[self.high_quality].bincount().count_nonzero())

    @property
    def modes_error(self) -> float:
        """Standard error of that number, by the bootstrap; points far from all centres are a class of their own."""
        counts = torch.where(self.high_quality, self.mode + 1, 0).bincount(minlength=1)
        return float(resampled(counts)[:, 1:].count_nonzero(dim=1).double().std())


def nearest(points: Tensor, mixture: Mixture) -> Nearest:
    """The nearest centre of each of the points (n, D), in the units of the packed data."""
    _, logits = MixtureNetwork(mixture)(points)
    logit, mode = logits.max(dim=1)
    return Nearest(mode, logit > -0.5 * WITHIN_SIGMAS**2)


class _Points:
    """Counts points as the model makes them, whatever features other groups use."""

    def __init__(self, context: EvalContext) -> None:
        mixture = _mixture(context.task, context.spec)
        assert mixture is not None
        assert context.column is not None
        self.mixture, self.column = mixture, context.column
        self._found: list[Tensor] = []

    def update(self, inputs: Rows | None, outputs: Rows, truth: Rows | None) -> None:
        """Keep the points: they are few numbers each."""
        del inputs, truth
        self._found.append(outputs[self.column])

    def compute(self) -> Result:
        """Count them."""
        found = nearest(torch.cat(self._found), self.mixture)
        return Result(
            {
                "high_quality_modes": Estimate(float(found.modes_found), found.modes_error),
                "high_quality": from_share(found.high_quality),
            }
        )


def _mixture(task: Task, spec: DataSpec) -> Mixture | None:
    column = scored_field(task, spec)
    field = None if column is None else spec.fields[column]
    return field.mixture if isinstance(field, VectorField) else None


def _applies(task: Task, spec: DataSpec) -> bool:
    return _mixture(task, spec) is not None


GROUP = MetricGroup(
    "mixture",
    (
        Metric("high_quality_modes", "Modes hit", "higher", "How many of the Gaussians have a sample within 3 sigma."),
        Metric("high_quality", "High quality", "higher", "Share of samples within 3 sigma of the nearest Gaussian."),
    ),
    _applies,
    _Points,
    "data of a known mixture of Gaussians",
    needs_features=False,
)
