"""FastGAN's game: the discriminator must keep what real images look like, so that few are not simply memorised."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.game import GAMES, Losses
from ganops.games.gan_settings import StandardGANSettings
from ganops.games.standard_gan import DiscriminatorOutput, GeneratedBatch, StandardGAN, with_features
from ganops.networks.network import (
    ReconstructingDiscriminator,
    TwoSizesDiscriminator,
    TwoSizesGenerator,
    pick,
)


class SelfSupervisedSettings(StandardGANSettings):
    """reconstruct_weight: of each reconstruction relative to the adversarial loss of one size."""

    reconstruct_weight: float = Field(default=1.0, gt=0)


@GAMES.add("self-supervised", SelfSupervisedSettings)
class SelfSupervised(StandardGAN):
    """The discriminator is also an auto-encoder of real images (Liu et al. 2021, arXiv:2101.04775, section 3.2).

    Reconstructions are compared by mean absolute difference; the paper's perceptual distance needs a network that was
    trained on other data.
    """

    keeps_features = True
    discriminator: ReconstructingDiscriminator  # pyrefly: ignore[bad-override-mutable-attribute]  # set once, here

    def __init__(self, settings: SelfSupervisedSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.reconstruct_weight = settings.reconstruct_weight
        self.discriminator = pick(networks, "discriminator", ReconstructingDiscriminator)
        second = self.generator.second if isinstance(self.generator, TwoSizesGenerator) else None
        expected = self.discriminator.small_size if isinstance(self.discriminator, TwoSizesDiscriminator) else None
        if second != expected:
            raise SettingsError(
                "generator and discriminator work at different sizes",
                code="second-size",
                expected=f"networks.generator.second: {expected or 'null'}",
                found=str(second or "null"),
            )

    def draw(self, batch: Rows) -> GeneratedBatch:
        """Generated rows, at both sizes where there are two."""
        if not (isinstance(self.generator, TwoSizesGenerator) and self.generator.second):
            return super().draw(batch)
        latents = torch.randn(len(batch), self.latent_dim, device=batch[self.target].device)
        images, small = self.generator.both(latents)
        return GeneratedBatch(images.float(), latents, small.float())

    def discriminator_losses(self, batch: Rows, step: int, micro_batch: int) -> Losses:
        """Those of the images, and where there are two sizes those of the small images, added."""
        found = super().discriminator_losses(batch, step, micro_batch)
        generated = self._generated[micro_batch].small
        if generated is None or not isinstance(self.discriminator, TwoSizesDiscriminator):
            return found
        resized = F.interpolate(batch[self.target], size=self.discriminator.small_size)
        real, fake = (
            with_features(self.discriminator.small, self.augment(images, step))
            for images in (resized, generated.detach())
        )
        losses = {"small": self.loss.discriminator(real.logits, fake.logits)}
        losses |= self._reconstruction(self.discriminator.small, real, "small reconstruct")
        return Losses(found.losses | losses, found.logs)

    def generator_losses(self, batch: Rows, step: int, micro_batch: int) -> Losses:
        """Generated rows should get large logits, at both sizes where there are two."""
        generated = self._generated[micro_batch] = self.reuse(batch, micro_batch)
        found = super().generator_losses(batch, step, micro_batch)
        if generated.small is None or not isinstance(self.discriminator, TwoSizesDiscriminator):
            return found
        fake = with_features(self.discriminator.small, self.augment(generated.small, step))
        return Losses(found.losses | {"small": self.loss.generator(fake.logits)}, found.logs)

    def extra_losses(
        self,
        _player: str,
        _batch: Rows,
        _generated: GeneratedBatch,
        real: DiscriminatorOutput | None,
        _fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """The reconstruction of the real images from their features, in the discriminator's turn."""
        return {} if real is None else self._reconstruction(self.discriminator, real, "reconstruct")

    def _reconstruction(
        self, network: ReconstructingDiscriminator, real: DiscriminatorOutput, name: str
    ) -> dict[str, Tensor]:
        assert real.features is not None
        pairs = network.reconstruct(real.features, real.images)
        distances = [F.l1_loss(reconstructed.float(), goal) for reconstructed, goal in pairs]
        return {name: self.reconstruct_weight * torch.stack(distances).sum()}
