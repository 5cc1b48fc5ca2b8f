"""pix2pix: an image from an image, near the truth and hard to tell from it (Isola et al. 2017, arXiv:1611.07004)."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.game import GAMES, Losses
from ganops.games.translation import Translation, TranslationSettings
from ganops.networks.network import PatchDiscriminator, check_fields, pick
from ganops.objectives.adversarial import ADVERSARIAL, LossName

SLOWER = 0.5  # factor on the discriminator's loss, which slows it down relative to the generator (section 3.3)


class Pix2PixSettings(TranslationSettings):
    """loss: the adversarial loss of both sides, a mean over patches. l1_weight: of the distance to the truth."""

    loss: LossName = "non-saturating"
    l1_weight: float = Field(default=100.0, ge=0)


@GAMES.add("pix2pix", Pix2PixSettings)
class Pix2Pix(Translation):
    """Generator against a discriminator that sees the source with the true or with the generated target (eq. 4).

    The generator's first turn in a step uses the targets that the discriminator's turn generated, as the authors' code
    does. Differences from the paper, see also the networks: the generator is given no noise, not even as dropout at
    test time, so that an output depends on its source alone.
    """

    def __init__(self, settings: Pix2PixSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.loss, self.l1_weight = ADVERSARIAL[settings.loss], settings.l1_weight
        self.discriminator = pick(networks, "discriminator", PatchDiscriminator)
        check_fields("discriminator", self.discriminator, self.source, self.target)
        self.players = {"discriminator": ("discriminator",), "generator": ("generator",)}
        self._generated: dict[int, Tensor] = {}

    def losses(self, player: str, batch: Rows, _step: int, micro_batch: int = 0) -> Losses:
        """The losses of one player's turn; see Game."""
        if player == "discriminator":
            generated = self._generated[micro_batch] = self.translate(batch)
            return self._discriminator_losses(batch, generated.detach())
        known = micro_batch in self._generated
        generated = self._generated.pop(micro_batch) if known else self.translate(batch)
        return self._generator_losses(batch, generated)

    def _discriminator_losses(self, batch: Rows, generated: Tensor) -> Losses:
        """True targets should get large logits, generated ones small logits."""
        real, fake = self._discriminate(batch, batch[self.target]), self._discriminate(batch, generated)
        return Losses({"loss": SLOWER * self.loss.discriminator(real, fake)}, self.loss.logs(real, fake))

    def _generator_losses(self, batch: Rows, generated: Tensor) -> Losses:
        """Generated targets should get large logits, and be near the truth."""
        truth = batch[self.target]
        logits = self._discriminate(batch, generated)
        if self.loss.relativistic:
            logits = logits - self._discriminate(batch, truth)
        losses = {"loss": self.loss.generator(logits)}
        if self.l1_weight:
            losses["l1"] = self.l1_weight * F.l1_loss(generated, truth)
        return Losses(losses)

    def _discriminate(self, batch: Rows, target: Tensor) -> Tensor:
        """(N, 1, h, w) logits, float32, of targets with the batch's sources."""
        logits: Tensor = self.discriminator(batch[self.source], target)
        return logits.float()
