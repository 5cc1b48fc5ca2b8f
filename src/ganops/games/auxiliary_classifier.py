"""ACGAN: the discriminator is not given the class but has to recognise it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.game import GAMES
from ganops.games.gan_settings import StandardGANSettings, check_unpacked
from ganops.games.standard_gan import DiscriminatorOutput, GeneratedBatch, StandardGAN, labels_of


class AuxiliaryClassifierSettings(StandardGANSettings):
    """classify_weight: of the class term relative to the adversarial loss; 1 in the paper."""

    classify_weight: float = Field(default=1.0, gt=0)


@GAMES.add("auxiliary-classifier", AuxiliaryClassifierSettings)
class AuxiliaryClassifier(StandardGAN):
    """A class head on the discriminator's features is trained on real and fake, so fakes become recognisable.

    Odena et al. 2016, arXiv:1610.09585: D maximises L_S + L_C, G maximises L_C - L_S, L_C over real and fake images.
    """

    conditional_generator = True
    keeps_features = True

    def __init__(
        self, settings: AuxiliaryClassifierSettings, networks: Mapping[str, nn.Module], spec: DataSpec
    ) -> None:
        super().__init__(settings, networks, spec)
        check_unpacked(self.discriminator.pack)
        self.classify_weight = settings.classify_weight
        self.classifier = nn.Linear(self.discriminator.feature_count, self.generator.class_count)
        self.players = {**self.players, "discriminator": ("discriminator", "classifier")}

    def extra_losses(
        self,
        _player: str,
        batch: Rows,
        _generated: GeneratedBatch,
        real: DiscriminatorOutput | None,
        fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """The class term: cross entropy of the labels over the images of this turn."""
        outputs = [fake] if real is None else [real, fake]
        entropies = [F.cross_entropy(self.classifier(o.features).float(), labels_of(batch)) for o in outputs]
        return {"classify": self.classify_weight * torch.stack(entropies).sum()}
