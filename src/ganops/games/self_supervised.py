"""FastGAN's game: the discriminator's features have to hold the real images, so that few are not learned by rote."""

from __future__ import annotations

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.games.game import GAMES, Batch
from ganops.games.standard_gan import DiscriminatorOutput, GeneratedBatch, StandardGAN, StandardGANSettings
from ganops.networks.network import ReconstructingDiscriminator, pick


class SelfSupervisedSettings(StandardGANSettings):
    """reconstruct_weight: of the reconstruction beside the adversarial loss."""

    reconstruct_weight: float = Field(default=1.0, gt=0)


@GAMES.add("self-supervised", SelfSupervisedSettings)
class SelfSupervised(StandardGAN):
    """The discriminator is also an auto-encoder of real images (Liu et al. 2021, arXiv:2101.04775, section 3.2).

    The reconstruction is compared by mean absolute difference; the paper's perceptual distance needs a network trained
    elsewhere.
    """

    def __init__(self, settings: SelfSupervisedSettings, networks: dict[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.reconstruct_weight = settings.reconstruct_weight
        self.discriminator: ReconstructingDiscriminator = pick(networks, "discriminator", ReconstructingDiscriminator)

    def discriminate(self, images: Tensor, labels: Tensor | None) -> DiscriminatorOutput:
        """Logits, and the features they come from."""
        features = self.discriminator.features(images)
        return DiscriminatorOutput(images, self.discriminator.judge(features, labels).float(), features)

    def extra_terms(
        self,
        _player: str,
        _batch: Batch,
        _forgery: GeneratedBatch,
        real: DiscriminatorOutput | None,
        _fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """The reconstruction of the real images from their features, in the discriminator's turn."""
        if real is None or real.features is None:
            return {}
        again = self.discriminator.reconstruct(real.features).float()
        return {"reconstruct": self.reconstruct_weight * F.l1_loss(again, F.avg_pool2d(real.images, 2))}
