"""Unrolled GAN: the generator answers the discriminator of some steps ahead."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call

from ganops.data.spec import DataSpec
from ganops.games.duel import Duel, DuelSettings, Opinion
from ganops.games.game import GAMES, Batch, Turn


class UnrolledSettings(DuelSettings):
    """unroll_steps: how far the generator looks ahead; unroll_lr: step size of the imagined discriminator steps."""

    unroll_steps: int = Field(default=5, ge=1)
    unroll_lr: float = Field(default=1e-2, gt=0)


@GAMES.add("unrolled", UnrolledSettings)
class Unrolled(Duel):
    """The generator's gradient runs through the discriminator's reaction (Metz et al. 2016, arXiv:1611.02163).

    The imagined steps are plain gradient descent on the batch at hand; the real discriminator stays as it is.
    """

    def __init__(self, settings: UnrolledSettings, networks: dict[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.unroll_steps, self.unroll_lr = settings.unroll_steps, settings.unroll_lr
        self._ahead: dict[str, Tensor] | None = None

    def forge(self, batch: Batch, step: int) -> Turn:
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

    def opinion(self, images: Tensor, labels: Tensor | None) -> Opinion:
        """What the discriminator makes of images; in the generator's turn, the one ahead."""
        if self._ahead is None:
            return super().opinion(images, labels)
        return Opinion(images, functional_call(self.discriminator, self._ahead, (images, labels)).float())

    def _imagine(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """The discriminator's weights after the imagined steps, with their graph back to the fakes."""
        trained = ((name, weight) for name, weight in self.discriminator.named_parameters() if weight.requires_grad)
        weights = {name: weight.detach().requires_grad_() for name, weight in trained}
        for _ in range(self.unroll_steps):
            logits = [functional_call(self.discriminator, weights, (images,)).float() for images in (real, fake)]
            gradients = torch.autograd.grad(self.loss.discriminator(*logits), list(weights.values()), create_graph=True)
            weights = {
                name: weight - self.unroll_lr * gradient
                for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
            }
        return weights
