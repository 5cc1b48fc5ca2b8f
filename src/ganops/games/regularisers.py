"""What a recipe may add to a GAN besides loss and penalty; each is off unless its section is there."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor, nn

from ganops.games.lazy import LazySettings
from ganops.networks.network import StyleGenerator
from ganops.objectives.consistency import consistency
from ganops.objectives.diffaugment import PolicyName, augment
from ganops.objectives.orthogonal import orthogonal_penalty
from ganops.objectives.path_length import path_length_penalty, path_lengths
from ganops.settings import Settings


class ConsistencySettings(Settings):
    """Balanced consistency: weights of (D(x) - D(T(x)))^2 on real and generated images (arXiv:2002.04724).

    policy: what T is, as in DiffAugment.
    """

    real: float = Field(default=10.0, ge=0)
    fake: float = Field(default=10.0, ge=0)
    policy: tuple[PolicyName, ...] = Field(default=("flip", "translation"), min_length=1)

    def term(
        self, critic: Callable[[Tensor], Tensor], real: tuple[Tensor, Tensor], fake: tuple[Tensor, Tensor]
    ) -> dict[str, Tensor]:
        """The weighted term, given images with their logits."""
        terms = [
            weight * consistency(logits, critic(augment(images, self.policy)))
            for weight, (images, logits) in ((self.real, real), (self.fake, fake))
        ]
        return {"consistency": torch.stack(terms).sum()}


class NoiseSettings(Settings):
    """Instance noise on everything the discriminator sees, fading to none (Sønderby et al. 2016, arXiv:1610.04490).

    std: in units of the modelled range [-1, 1]; steps: number of steps after which it is gone.
    """

    std: float = Field(gt=0)
    steps: int = Field(ge=1)

    def fades(self, step: int) -> bool:
        """Whether there still is noise, less in every step."""
        return step < self.steps

    def apply(self, rows: Tensor, step: int) -> Tensor:
        """Rows with the noise of this step."""
        std = self.std * max(0.0, 1 - step / self.steps)
        return rows + std * torch.randn_like(rows) if std else rows


class TopKSettings(Settings):
    """The generator learns from its most convincing rows only (Sinha et al. 2020, arXiv:2002.06224).

    decay: factor on the share of a batch that counts every `every` steps, down to `least`.
    """

    decay: float = Field(default=0.99, gt=0, lt=1)
    every: int = Field(default=1000, ge=1)
    least: float = Field(default=0.5, gt=0, le=1)

    def share(self, step: int) -> float:
        """The share of a batch that counts in this step."""
        return max(self.least, self.decay ** (step // self.every))


class PathLengthSettings(LazySettings):
    """Path length regularisation of a style generator (Karras et al. 2019, arXiv:1912.04958, section 3.2).

    decay: how fast the mean length follows; shrink: the term uses a batch that is so many times smaller.
    """

    weight: float = Field(default=2.0, gt=0)
    every: int = Field(default=4, ge=1)
    decay: float = Field(default=0.01, gt=0, le=1)
    shrink: int = Field(default=2, ge=1)

    def term(
        self, generator: StyleGenerator, latents: Tensor, labels: Tensor | None, mean: Tensor, step: int
    ) -> dict[str, Tensor]:
        """The weighted penalty on a share of `latents`, moving `mean` (0-dim) in place; empty in other steps."""
        if not self.due(step):
            return {}
        count = max(1, len(latents) // self.shrink)
        styles = generator.styles(latents[:count], None if labels is None else labels[:count])
        images = generator.synthesize(styles)
        lengths = path_lengths(images, styles, torch.randn_like(images, dtype=torch.float32))
        now = lengths.mean().detach()
        # Started from zero, as in the authors' code, the mean would pull the lengths down for the first hundred terms.
        mean.copy_(torch.where(mean == 0, now, mean.lerp(now, self.decay)))
        return {"path-length": self.weight * self.every * path_length_penalty(lengths, mean)}


def orthogonal_term(network: nn.Module, weight: float) -> dict[str, Tensor]:
    """The orthogonal penalty on a network's weight matrices and filters, embeddings left out."""
    if not weight:
        return {}
    embeddings = {id(p) for m in network.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    weights = [p for p in network.parameters() if p.ndim > 1 and id(p) not in embeddings]
    return {"orthogonal": weight * orthogonal_penalty(weights)}
