"""Adversarial losses: what a discriminator and a generator minimise, given logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

LossName = Literal["minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "relativistic"]


@dataclass(frozen=True)
class AdversarialLoss:
    """A pair of losses over logits of any shape, both means over all of them.

    discriminator: (real logits, fake logits) to a scalar.
    generator: (fake logits) to a scalar.
    score: logits to what is plotted as D(x): a probability where the loss defines one, else the logits themselves.
    relativistic: the generator's loss takes fake minus real logits, pair by pair, instead of fake logits.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    score: Callable[[Tensor], Tensor]
    relativistic: bool = False

    def logs(self, real: Tensor, fake: Tensor, made: str = "G(x)") -> dict[str, Tensor]:
        """What a discriminator's logits say: mean scores, and the share of pairs whose real row has the larger logit.

        made: how curves call a generated row.
        """
        return {
            "D(x)": self.score(real).mean(),
            f"D({made})": self.score(fake).mean(),
            "accuracy": (real > fake).float().mean(),
        }


def cross_entropy_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))), D the sigmoid of the logit (Goodfellow et al. 2014, arXiv:1406.2661, eq. 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def minimax_generator(fake: Tensor) -> Tensor:
    """log(1 - D(G(z))): the generator's side of the minimax game (arXiv:1406.2661, eq. 1)."""
    return -F.softplus(fake).mean()


def non_saturating_generator(fake: Tensor) -> Tensor:
    """-log D(G(z)): strong gradients where the discriminator is confident (arXiv:1406.2661, section 3)."""
    return F.softplus(-fake).mean()


def least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """1/2 (D(x) - 1)^2 + 1/2 D(G(z))^2 (Mao et al. 2016, arXiv:1611.04076, eq. 9)."""
    return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()


def least_squares_generator(fake: Tensor) -> Tensor:
    """1/2 (D(G(z)) - 1)^2 (arXiv:1611.04076, eq. 9)."""
    return 0.5 * (fake - 1).square().mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))) (Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018, eq. 16)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """D(G(z)) - D(x), the negative of the critic's estimate (Arjovsky et al. 2017, arXiv:1701.07875)."""
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    """-D(G(z)); the hinge loss's generator is the same (arXiv:1701.07875)."""
    return -fake.mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-log sigmoid(D(x) - D(G(z))) over pairs (Jolicoeur-Martineau 2018, arXiv:1807.00734; R3GAN, arXiv:2501.05441)."""
    return F.softplus(fake - real).mean()


def relativistic_average_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-log sigmoid(D(x) - mean D(G(z))) - log sigmoid(mean D(x) - D(G(z))) (arXiv:1807.00734, section 4.2)."""
    return F.softplus(fake.mean() - real).mean() + F.softplus(fake - real.mean()).mean()


def relativistic_average_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The same with real and generated exchanged: the generator gains from generated and from real rows."""
    return relativistic_average_discriminator(fake, real)


def one_sided_smoothing(real: Tensor, target: float) -> Tensor:
    """The cross entropy with the label `target` for real rows minus that with the label 1: (1 - target) D(x).

    Salimans et al. 2016, arXiv:1606.03498, section 3.4; it follows from softplus(x) - softplus(-x) = x.
    """
    return (1 - target) * real.mean()


def top_share(fake: Tensor, share: float) -> Tensor:
    """The largest `share` of the logits, at least one (top-k training, Sinha et al. 2020, arXiv:2002.06224)."""
    return fake.topk(max(1, round(len(fake) * share))).values


def _logits(logits: Tensor) -> Tensor:
    return logits


ADVERSARIAL: dict[LossName, AdversarialLoss] = {
    "minimax": AdversarialLoss(cross_entropy_discriminator, minimax_generator, torch.sigmoid),
    "non-saturating": AdversarialLoss(cross_entropy_discriminator, non_saturating_generator, torch.sigmoid),
    "least-squares": AdversarialLoss(least_squares_discriminator, least_squares_generator, _logits),
    "hinge": AdversarialLoss(hinge_discriminator, wasserstein_generator, _logits),
    "wasserstein": AdversarialLoss(wasserstein_discriminator, wasserstein_generator, _logits),
    "relativistic": AdversarialLoss(relativistic_discriminator, non_saturating_generator, _logits, relativistic=True),
}
