"""How well a known mixture of Gaussians is learnt, as VEEGAN and PacGAN count it on rings and grids.

Srivastava et al. 2017, arXiv:1705.07761; Lin et al. 2017, arXiv:1712.04086, section 4.1, with 2,500 samples: one is of
high quality within three standard deviations of the nearest centre, and a mode is found where there is one. Their
reverse KL is `mode_kl` of the group `modes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganops.data.mixture import Mixture
from ganops.evaluation.bootstrap import resampled
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_share
from ganops.evaluation.extractors.mixture import MixtureNetwork
from ganops.evaluation.metric import Group, Score

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
        """Standard error of that number, by the bootstrap; points beside the centres are a class of their own."""
        counts = torch.where(self.high_quality, self.mode + 1, 0).bincount(minlength=1)
        return float(resampled(counts)[:, 1:].count_nonzero(dim=1).double().std())


def nearest(points: Tensor, mixture: Mixture) -> Nearest:
    """Look at points (n, D) in the units of the packed data."""
    _, logits = MixtureNetwork(mixture)(points)
    logit, mode = logits.max(dim=1)
    return Nearest(mode, logit > -0.5 * WITHIN_SIGMAS**2)


def _measure(case: EvalContext) -> dict[str, Estimate]:
    mixture = case.real.description.spec.mixture
    assert mixture is not None
    found = nearest(case.generated.features, mixture)
    return {
        "high_quality_modes": Estimate(float(found.modes_found), found.modes_error),
        "high_quality": from_share(found.high_quality),
    }


def _applies(case: EvalContext) -> bool:
    # The features of any other extractor are no coordinates.
    return case.real.description.spec.mixture is not None and case.protocol.extractor == "classifier"


GROUP = Group(
    "mixture",
    (
        Score("high_quality_modes", "Modes hit", "higher", "How many of the Gaussians have a sample within 3 sigma."),
        Score("high_quality", "High quality", "higher", "Share of samples within 3 sigma of the nearest Gaussian."),
    ),
    _measure,
    _applies,
)
