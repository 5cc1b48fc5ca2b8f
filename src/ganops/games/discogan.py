"""DiscoGAN: relations between two domains without pairs, there and back (Kim et al. 2017, arXiv:1703.05192)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.both_directions import BothDirections
from ganops.games.game import GAMES, Losses
from ganops.games.unpaired import A_TO_B, B_TO_A, A, B, unpaired_loss
from ganops.networks.network import FeatureDiscriminator
from ganops.objectives.adversarial import LossName
from ganops.settings import Settings


class DiscoGANSettings(Settings):
    """loss: the adversarial loss of both sides.

    adversarial_share: of the adversarial loss in what the discriminator asks of the generator; the rest is feature
        matching. The paper has no feature matching, the authors' code 0.1.
    rate: share of the reconstruction loss, the rest being what the discriminator asks. first_rate: the same in the
        first `first_steps` steps.
    """

    loss: LossName = "non-saturating"
    adversarial_share: float = Field(default=0.1, ge=0, le=1)
    rate: float = Field(default=0.5, ge=0, le=1)
    first_rate: float = Field(default=0.01, ge=0, le=1)
    first_steps: int = Field(default=5000, ge=0)


@GAMES.add("discogan", DiscoGANSettings)
class DiscoGAN(BothDirections):
    """Two generators and two discriminators; an image should return from its translation there and back.

    As in the authors' code: squared errors of reconstructions, and batch means of the discriminators' features, which
    should be those of real images. Differences from it: the features of all activations count, of the first one too;
    the discriminators' turn sees the generators' last batch and not one of its own; images lie in [-1, 1].
    """

    discriminators = FeatureDiscriminator
    # Of the kind above; set once, by BothDirections.
    discriminator_a: FeatureDiscriminator  # pyrefly: ignore[bad-override-mutable-attribute]
    discriminator_b: FeatureDiscriminator  # pyrefly: ignore[bad-override-mutable-attribute]

    def __init__(self, settings: DiscoGANSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(networks, spec)
        self.settings, self.loss = settings, unpaired_loss(settings.loss)

    def losses(self, player: str, batch: Rows, step: int, _micro_batch: int = 0) -> Losses:
        """The losses of one player's turn; see Game."""
        if player == "generator":
            return self._generator_losses(batch, self._rate(step))
        with torch.no_grad():
            fake_a, fake_b = self.translate_both(batch)
        losses, logs, accuracies = dict[str, Tensor](), dict[str, Tensor](), list[Tensor]()
        for name, discriminator, fake in ((A, self.discriminator_a, fake_a), (B, self.discriminator_b, fake_b)):
            real_logits, fake_logits = discriminator(None, batch[name]).float(), discriminator(None, fake).float()
            losses[f"loss_{name}"] = 0.5 * self.loss.discriminator(real_logits, fake_logits)
            logs[f"D_{name}(x)"] = self.loss.score(real_logits).mean()
            logs[f"D_{name}(G(x))"] = self.loss.score(fake_logits).mean()
            accuracies.append((real_logits > fake_logits).float().mean())
        return Losses(losses, logs | {"accuracy": torch.stack(accuracies).mean()})

    def graph_key(self, step: int) -> Hashable | None:
        """Steps with the same share of the reconstruction loss are alike."""
        return self._rate(step)

    def _rate(self, step: int) -> float:
        return self.settings.first_rate if step < self.settings.first_steps else self.settings.rate

    def _generator_losses(self, batch: Rows, rate: float) -> Losses:
        """Translations should be taken for real ones, have features like theirs, and return to their sources."""
        fake_a, fake_b = self.translate_both(batch)
        losses = {
            "reconstruction_A": rate * F.mse_loss(self.translate(B_TO_A, fake_b), batch[A]),
            "reconstruction_B": rate * F.mse_loss(self.translate(A_TO_B, fake_a), batch[B]),
        }
        share = self.settings.adversarial_share
        for name, discriminator, fake in ((A, self.discriminator_a, fake_a), (B, self.discriminator_b, fake_b)):
            *made, logits = discriminator.features(None, fake)
            losses[f"loss_{name}"] = (1 - rate) * share * self.loss.generator(logits.float())
            if share < 1:
                with torch.no_grad():
                    *real, _ = discriminator.features(None, batch[name])
                losses[f"features_{name}"] = (1 - rate) * (1 - share) * feature_matching(real, made)
        return Losses(losses)


def feature_matching(real: list[Tensor], made: list[Tensor]) -> Tensor:
    """The sum over layers of the mean squared difference of mean maps (Salimans et al. 2016, arXiv:1606.03498, 3.1)."""
    terms = [F.mse_loss(fake.float().mean(0), true.float().mean(0)) for true, fake in zip(real, made, strict=True)]
    return torch.stack(terms).sum()
