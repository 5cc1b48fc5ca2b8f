"""FastGAN's game: the discriminator must keep what real images look like, so that few are not simply memorised."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.game import GAMES
from ganops.games.gan_settings import StandardGANSettings
from ganops.games.standard_gan import DiscriminatorOutput, GeneratedBatch, StandardGAN
from ganops.networks.network import ReconstructingDiscriminator, pick


class SelfSupervisedSettings(StandardGANSettings):
    """reconstruct_weight: of the reconstruction relative to the adversarial loss."""

    reconstruct_weight: float = Field(default=1.0, gt=0)


@GAMES.add("self-supervised", SelfSupervisedSettings)
class SelfSupervised(StandardGAN):
    """The discriminator is also an auto-encoder of real images (Liu et al. 2021, arXiv:2101.04775, section 3.2).

    Reconstructions are compared by mean absolute difference; the paper's perceptual distance needs a network that was
    trained on other data.
    """

    def __init__(self, settings: SelfSupervisedSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.reconstruct_weight = settings.reconstruct_weight
        self.discriminator: ReconstructingDiscriminator = pick(networks, "discriminator", ReconstructingDiscriminator)

    def discriminate(self, images: Tensor, labels: Tensor | None) -> DiscriminatorOutput:
        """Logits with the features they come from."""
        features = self.discriminator.features(images)
        return DiscriminatorOutput(images, self.discriminator.logits(features, labels).float(), features)

    def extra_losses(
        self,
        _player: str,
        _batch: Rows,
        _generated: GeneratedBatch,
        real: DiscriminatorOutput | None,
        _fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """The reconstruction of the real images from their features, in the discriminator's turn."""
        if real is None or real.features is None:
            return {}
        reconstructed = self.discriminator.reconstruct(real.features).float()
        return {"reconstruct": self.reconstruct_weight * F.l1_loss(reconstructed, F.avg_pool2d(real.images, 2))}
