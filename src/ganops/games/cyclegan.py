"""CycleGAN: two domains translated into each other without pairs (Zhu et al. 2017, arXiv:1703.10593)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.both_directions import BothDirections
from ganops.games.game import GAMES, Losses
from ganops.games.image_pool import ImagePool
from ganops.games.semantic import SemanticConsistency, SemanticSettings
from ganops.games.unpaired import A_TO_B, B_TO_A, A, B, generator_weight, unpaired_loss
from ganops.networks.network import Classifier, pick
from ganops.objectives.adversarial import LossName
from ganops.settings import Settings


class CycleGANSettings(Settings):
    """loss: the adversarial loss of both sides, a mean over patches.

    cycle_weight: of the mean absolute difference between an image and its translation there and back.
    identity_weight: of that between an image of the target domain and its translation, which keeps colours; it needs
    domains of equal form. The authors take half of cycle_weight, and 0 for many data sets.
    pool: generated images of each domain that the discriminators may be shown later.
    semantic: a classifier, a player of its own, that keeps the class of what is translated; None: no labels are used.
    """

    loss: LossName = "least-squares"
    cycle_weight: float = Field(default=10.0, ge=0)
    identity_weight: float = Field(default=5.0, ge=0)
    pool: int = Field(default=50, ge=0)
    semantic: SemanticSettings | None = None


@GAMES.add("cyclegan", CycleGANSettings)
class CycleGAN(BothDirections):
    """Two generators and a discriminator of each domain (equations 1 to 3).

    The generators play first, as in the authors' code. A classifier, where there is one, learns before them.
    """

    def __init__(self, settings: CycleGANSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(networks, spec)
        if settings.identity_weight:
            self.check_equal_domains("identity_weight: the identity loss compares images of both domains")
        self.settings, self.loss = settings, unpaired_loss(settings.loss)
        self.pool_a = ImagePool(settings.pool, self.fields[A].shape)
        self.pool_b = ImagePool(settings.pool, self.fields[B].shape)
        self.semantic: SemanticConsistency | None = None
        if settings.semantic is not None:
            self.classifier = pick(networks, "classifier", Classifier)
            self.semantic = SemanticConsistency(settings.semantic, self.classifier, spec)
            self.players = {"classifier": ("classifier",), **self.players}
        self._adversarial_weight = generator_weight(settings.loss)
        self._translated: dict[int, tuple[Tensor, Tensor]] = {}

    def losses(self, player: str, batch: Rows, _step: int, micro_batch: int = 0) -> Losses:
        """The losses of one player's turn; see Game."""
        if player == "classifier" and self.semantic is not None:
            return Losses({"loss": self.semantic.classify(self.classifier, batch)})
        if player == "generator":
            return self._generator_losses(batch, micro_batch)
        known = micro_batch in self._translated
        fake_a, fake_b = self._translated.pop(micro_batch) if known else self.translate_both(batch)
        found = [
            self._discriminator_losses(name, discriminator, real, pool(fake.detach()))
            for name, discriminator, real, pool, fake in (
                ("A", self.discriminator_a, batch[A], self.pool_a, fake_a),
                ("B", self.discriminator_b, batch[B], self.pool_b, fake_b),
            )
        ]
        logs = found[0].logs | found[1].logs
        accuracy = torch.stack([logs.pop(f"accuracy_{name}") for name in "AB"]).mean()
        return Losses(found[0].losses | found[1].losses, logs | {"accuracy": accuracy})

    def _generator_losses(self, batch: Rows, micro_batch: int) -> Losses:
        """Translations should get large logits, return to their source, and leave images of the target as they are."""
        a, b, settings = batch[A], batch[B], self.settings
        fake_a, fake_b = self.translate_both(batch)
        self._translated[micro_batch] = fake_a.detach(), fake_b.detach()
        losses = {
            "loss_A": self._adversarial_weight * self.loss.generator(self.discriminator_a(None, fake_a).float()),
            "loss_B": self._adversarial_weight * self.loss.generator(self.discriminator_b(None, fake_b).float()),
        }
        if settings.cycle_weight:
            losses["cycle_A"] = settings.cycle_weight * F.l1_loss(self.translate(B_TO_A, fake_b), a)
            losses["cycle_B"] = settings.cycle_weight * F.l1_loss(self.translate(A_TO_B, fake_a), b)
        if settings.identity_weight:
            losses["identity_A"] = settings.identity_weight * F.l1_loss(self.translate(B_TO_A, a), a)
            losses["identity_B"] = settings.identity_weight * F.l1_loss(self.translate(A_TO_B, b), b)
        if self.semantic is not None:
            losses["semantic_A"] = self.semantic.term(self.classifier, A, batch, fake_b)
            losses["semantic_B"] = self.semantic.term(self.classifier, B, batch, fake_a)
        return Losses(losses)

    def _discriminator_losses(self, name: str, discriminator: nn.Module, real: Tensor, fake: Tensor) -> Losses:
        real_logits, fake_logits = discriminator(None, real).float(), discriminator(None, fake).float()
        logs = {
            f"D_{name}(x)": self.loss.score(real_logits).mean(),
            f"D_{name}(G(x))": self.loss.score(fake_logits).mean(),
            f"accuracy_{name}": (real_logits > fake_logits).float().mean(),
        }
        return Losses({f"loss_{name}": self.loss.discriminator(real_logits, fake_logits)}, logs)
