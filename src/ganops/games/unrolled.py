"""Unrolled GAN: the generator answers the discriminator of some steps ahead."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.func import functional_call

from ganops.data.spec import DataSpec
from ganops.games.game import GAMES, Batch, Losses
from ganops.games.standard_gan import DiscriminatorOutput, StandardGAN, StandardGANSettings

MEMORY = 0.999  # of the size of gradients, from one generator's turn to the next; Adam's own


class UnrolledSettings(StandardGANSettings):
    """unroll_steps: how far the generator looks ahead. unroll_lr: how far the discriminator's weights go in each step.

    loss: what the discriminator minimises; the generator minimises its negative.
    """

    unroll_steps: int = Field(default=5, ge=1)
    unroll_lr: float = Field(default=2e-4, gt=0)

    @model_validator(mode="after")
    def _one_value_for_both(self) -> UnrolledSettings:
        if self.top_k is not None:
            raise ValueError("no top_k, since both sides of this game play for the same value, that of all images")
        return self


@GAMES.add("unrolled", UnrolledSettings)
class Unrolled(StandardGAN):
    """The generator's gradient runs through the discriminator's reaction (Metz et al. 2016, arXiv:1611.02163, eq. 7).

    Both sides play for one value, that of real images and fakes, as in the paper: with the non-saturating loss the
    reaction's share of the gradient would not vanish at the optimal discriminator.

    The imagined steps go along the gradient of the batch at hand, each tensor of weights about as far as Adam would
    take it (the paper imagines Adam's own steps): unroll_lr, root mean square, for a gradient as large as the largest
    lately. They leave penalties out. The real discriminator stays as it is.
    """

    gradient_squares: Tensor

    def __init__(self, settings: UnrolledSettings, networks: dict[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.unroll_steps, self.unroll_lr = settings.unroll_steps, settings.unroll_lr
        self._ahead: dict[str, Tensor] | None = None
        # Mean square of each tensor's gradients, kept here so that checkpoints hold it.
        self.register_buffer("gradient_squares", torch.zeros(len(list(self.discriminator.parameters()))))

    def forge(self, batch: Batch, step: int) -> Losses:
        """The generator's turn, against the discriminator as it would be after the imagined steps."""
        forgery = self._fakes.get(batch.part) or self.draw(batch)
        self._fakes[batch.part] = forgery
        real, fake = self.seen(batch.images, step), self.seen(forgery.images, step)
        # Not compiled: torch.compile has no second derivatives, and the imagined weights need them.
        with torch.compiler.set_stance("force_eager"):
            self._ahead = self._imagine(real, fake)
            try:
                return super().forge(batch, step)
            finally:
                self._ahead = None

    def discriminate(self, images: Tensor, labels: Tensor | None) -> DiscriminatorOutput:
        """What the discriminator makes of images; in the generator's turn, the one ahead."""
        if self._ahead is None:
            return super().discriminate(images, labels)
        return DiscriminatorOutput(images, functional_call(self.discriminator, self._ahead, (images, labels)).float())

    def generator_loss(self, batch: Batch, fake: DiscriminatorOutput, step: int) -> Tensor:
        """The negative of what the discriminator ahead minimises."""
        real = self.discriminate(self.seen(batch.images, step), None)
        return -self.loss.discriminator(real.logits, fake.logits)

    def _imagine(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """The discriminator's weights after the imagined steps, with their graph back to the fakes."""
        trained = ((name, weight) for name, weight in self.discriminator.named_parameters() if weight.requires_grad)
        weights = {name: weight.detach().requires_grad_() for name, weight in trained}
        sizes: list[Tensor] = []
        for _ in range(self.unroll_steps):
            logits = [functional_call(self.discriminator, weights, (images,)).float() for images in (real, fake)]
            gradients = torch.autograd.grad(self.loss.discriminator(*logits), list(weights.values()), create_graph=True)
            sizes = sizes or self._remembered_sizes(gradients)
            weights = {
                name: weight - self.unroll_lr * gradient / size
                for (name, weight), gradient, size in zip(weights.items(), gradients, sizes, strict=True)
            }
        return weights

    @torch.no_grad()
    def _remembered_sizes(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """Root mean square of the largest gradients lately, so that one that vanishes is not blown up to a step."""
        for square, gradient in zip(self.gradient_squares, gradients, strict=False):  # fewer where some are frozen
            now = gradient.square().mean()
            square.copy_(torch.maximum(now, square.lerp(now, 1 - MEMORY)))
        return [square.sqrt() + 1e-12 for square in self.gradient_squares[: len(gradients)]]
