"""ACGAN: the discriminator is told no class but has to say which it sees."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.games.game import GAMES, Batch, Player
from ganops.games.standard_gan import DiscriminatorOutput, GeneratedBatch, StandardGAN, StandardGANSettings, labels_of


class AuxiliaryClassifierSettings(StandardGANSettings):
    """classify_weight: of the class term beside the adversarial loss; 1 in the paper."""

    classify_weight: float = Field(default=1.0, gt=0)


@GAMES.add("auxiliary-classifier", AuxiliaryClassifierSettings)
class AuxiliaryClassifier(StandardGAN):
    """A class head on the discriminator's features is right about real and fake, and fakes are recognisable.

    Odena et al. 2016, arXiv:1610.09585: D maximises L_S + L_C, G maximises L_C - L_S, L_C over real and fake images.
    """

    conditional_generator = True

    def __init__(self, settings: AuxiliaryClassifierSettings, networks: dict[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.classify_weight = settings.classify_weight
        self.classifier = nn.Linear(self.discriminator.feature_count, self.class_count)
        self.players["discriminator"] = Player(("discriminator", "classifier"))

    def discriminate(self, images: Tensor, labels: Tensor | None) -> DiscriminatorOutput:
        """Logits, and the features they come from."""
        features = self.discriminator.features(images)
        return DiscriminatorOutput(images, self.discriminator.judge(features, labels).float(), features)

    def extra_terms(
        self,
        _player: str,
        batch: Batch,
        _forgery: GeneratedBatch,
        real: DiscriminatorOutput | None,
        fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """The class term: cross entropy of the label over the images of this turn."""
        judged = [fake] if real is None else [real, fake]
        entropies = [F.cross_entropy(self.classifier(o.features).float(), labels_of(batch)) for o in judged]
        return {"classify": self.classify_weight * torch.stack(entropies).sum()}
