"""The best classifier of vectors from a known mixture: the mixture's formula, with the coordinates as features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganops.data.mixture import Mixture


class MixtureNetwork(nn.Module):
    """Bayes' classifier of equally likely Gaussians; its classes are the Gaussians in their order.

    Scores of features are thereby scores of the points themselves: FID is the Frechet distance in their plane.
    """

    centres: Tensor
    sigma: Tensor

    def __init__(self, mixture: Mixture) -> None:
        super().__init__()
        self.register_buffer("centres", torch.tensor(mixture.centres))
        self.register_buffer("sigma", torch.tensor(mixture.sigma))

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """The coordinates (n, D) and, as logits (n, K), each Gaussian's log density up to a constant."""
        # Matrix products would lose the digits that matter near a centre.
        distances = torch.cdist(vectors, self.centres, compute_mode="donot_use_mm_for_euclid_dist")
        return vectors, -0.5 * (distances / self.sigma).square()
