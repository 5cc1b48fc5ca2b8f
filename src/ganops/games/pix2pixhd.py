"""pix2pixHD: discriminators at several sizes, and matching of their layers (Wang et al. 2018, arXiv:1711.11585)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.game import GAMES, Losses
from ganops.games.translation import Translation, TranslationSettings
from ganops.networks.network import MultiscaleDiscriminator, check_fields, pick
from ganops.objectives.adversarial import ADVERSARIAL, LossName
from ganops.objectives.matching import feature_matching
from ganops.objectives.perceptual import PerceptualLoss, PerceptualSettings


class Pix2PixHDSettings(TranslationSettings):
    """loss: the adversarial loss of both sides, of each size a mean over patches; these are added up.

    feature_weight: of the distance between the discriminators' layers for outputs and for the truth; 10 in the paper.
    perceptual: the loss through a frozen network; weight 10 in the authors' code; null: none, as in the paper's
    ablation.
    """

    loss: LossName = "least-squares"
    feature_weight: float = Field(default=10.0, ge=0)
    perceptual: PerceptualSettings | None = None


@GAMES.add("pix2pixhd", Pix2PixHDSettings)
class Pix2PixHD(Translation):
    """Generator against discriminators of source and target at several sizes (equations 2 to 5).

    In a step the generator plays first, and the discriminators see the same outputs, as in the authors' code. Not here:
    edges between instances, and the encoder of instance features.
    """

    def __init__(self, settings: Pix2PixHDSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.settings, self.loss = settings, ADVERSARIAL[settings.loss]
        self.discriminator = pick(networks, "discriminator", MultiscaleDiscriminator)
        check_fields("discriminator", self.discriminator, self.source, self.target)
        self.perceptual = PerceptualLoss(settings.perceptual) if settings.perceptual else None
        if self.perceptual is not None:
            self.pretrained = {"perceptual": self.perceptual.features}
        self.players = {"generator": ("generator",), "discriminator": ("discriminator",)}
        # The authors' squared error lacks the factor 1/2 of arXiv:1611.04076; the generator's terms keep their ratio.
        self._adversarial_weight = 2.0 if settings.loss == "least-squares" else 1.0
        self._generated: dict[int, Tensor] = {}

    def over_sizes(self, losses: Sequence[Tensor]) -> Tensor:
        """The adversarial losses of all sizes together."""
        return torch.stack(list(losses)).sum()

    def losses(self, player: str, batch: Rows, _step: int, micro_batch: int = 0) -> Losses:
        """The losses of one player's turn; see Game."""
        if player == "generator":
            generated = self.translate(batch)
            self._generated[micro_batch] = generated.detach()
            return self._generator_losses(batch, generated)
        known = micro_batch in self._generated
        generated = self._generated.pop(micro_batch) if known else self.translate(batch).detach()
        return self._discriminator_losses(batch, generated)

    def _generator_losses(self, batch: Rows, generated: Tensor) -> Losses:
        """Outputs should get large logits, and look like the truth to all discriminators and to the frozen network."""
        truth = batch[self.target]
        fake = self.discriminator.pyramid(batch[self.source], generated)
        with torch.no_grad():
            real = self.discriminator.pyramid(batch[self.source], truth)
        pairs = [(ours[-1].float(), theirs[-1].float()) for ours, theirs in zip(fake, real, strict=True)]
        logits = [ours - theirs if self.loss.relativistic else ours for ours, theirs in pairs]
        losses = {"loss": self._adversarial_weight * self.over_sizes([self.loss.generator(each) for each in logits])}
        if self.settings.feature_weight:
            maps = [(ours[:-1], theirs[:-1]) for ours, theirs in zip(fake, real, strict=True)]
            losses["features"] = self.settings.feature_weight * feature_matching(maps)
        if self.perceptual is not None:
            losses["perceptual"] = self.perceptual(generated, truth)
        return Losses(losses, {"l1": F.l1_loss(generated, truth)})

    def _discriminator_losses(self, batch: Rows, generated: Tensor) -> Losses:
        """True targets should get large logits at every size, generated ones small logits."""
        real, fake = (
            [maps[-1].float() for maps in self.discriminator.pyramid(batch[self.source], target)]
            for target in (batch[self.target], generated)
        )
        pairs = list(zip(real, fake, strict=True))
        logs = {
            "D(x)": _mean(self.loss.score, real),
            "D(G(x))": _mean(self.loss.score, fake),
            "accuracy": torch.stack([(theirs > ours).float().mean() for theirs, ours in pairs]).mean(),
        }
        return Losses({"loss": self.over_sizes([self.loss.discriminator(*pair) for pair in pairs])}, logs)


def _mean(score: Callable[[Tensor], Tensor], logits: Sequence[Tensor]) -> Tensor:
    return torch.stack([score(each).mean() for each in logits]).mean()
