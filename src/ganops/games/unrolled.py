"""Unrolled GAN: the generator is trained against the discriminator as it will be some steps ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.func import functional_call

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.game import GAMES, Losses
from ganops.games.gan_settings import StandardGANSettings
from ganops.games.standard_gan import StandardGAN

MEMORY = 0.999  # decay of the remembered squared gradients from one generator's turn to the next; Adam's beta2


class UnrolledSettings(StandardGANSettings):
    """unroll_steps: how many steps ahead. unroll_lr: how far the discriminator's weights move in each.

    loss: what the discriminator minimises; the generator minimises its negative.
    """

    unroll_steps: int = Field(default=5, ge=1, le=1000)
    unroll_lr: float = Field(default=2e-4, gt=0)

    @model_validator(mode="after")
    def _one_value_for_both(self) -> UnrolledSettings:
        if self.top_k is not None:
            raise ValueError("top_k: must be null, since both players of this game share one value over all images")
        return self


@GAMES.add("unrolled", UnrolledSettings)
class Unrolled(StandardGAN):
    """The generator's gradient runs through the discriminator's reaction (Metz et al. 2016, arXiv:1611.02163, eq. 7).

    Both players share one value, that of real and generated images, as in the paper: with the non-saturating loss the
    reaction's share of the gradient would not vanish at the optimal discriminator.

    The steps ahead follow the gradient on the batch at hand. Each weight tensor moves about as far as Adam would move
    it (the paper unrolls Adam itself): unroll_lr, root mean square, for a gradient as large as the largest lately. They
    leave penalties out. The real discriminator does not change.
    """

    gradient_squares: Tensor

    def __init__(self, settings: UnrolledSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.unroll_steps, self.unroll_lr = settings.unroll_steps, settings.unroll_lr
        # Mean square of each tensor's gradients, in a buffer so that checkpoints hold it.
        self.register_buffer("gradient_squares", torch.zeros(len(list(self.discriminator.parameters()))))

    def generator_losses(self, batch: Rows, step: int, micro_batch: int) -> Losses:
        """The negative of what the discriminator minimises, with its weights some steps ahead."""
        generated = self.reuse(batch, micro_batch)
        real, fake = self.augment(batch[self.target], step), self.augment(generated.images, step)

        def value(weights: Mapping[str, Tensor]) -> Tensor:
            logits = [functional_call(self.discriminator, dict(weights), (images,)).float() for images in (real, fake)]
            return self.loss.discriminator(*logits)

        now = {name: weight for name, weight in self.discriminator.named_parameters() if weight.requires_grad}
        # Not compiled: torch.compile has no second derivatives, which the steps ahead need.
        with torch.compiler.set_stance("force_eager"):
            ahead = look_ahead(value, now, self.unroll_steps, self.unroll_lr, self.gradient_sizes)
            losses = {"loss": -value(ahead)}
        return Losses(losses | self.generator_regularisers(batch, generated, step))

    @torch.no_grad()
    def gradient_sizes(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """Root mean square of the largest gradients lately, so that a vanishing one does not become a full step."""
        for square, gradient in zip(self.gradient_squares, gradients, strict=False):  # fewer where some are frozen
            now = gradient.square().mean()
            square.copy_(torch.maximum(now, square.lerp(now, 1 - MEMORY)))
        return [square.sqrt() + 1e-12 for square in self.gradient_squares[: len(gradients)]]


def look_ahead(
    value: Callable[[Mapping[str, Tensor]], Tensor],
    weights: Mapping[str, Tensor],
    steps: int,
    lr: float,
    sizes_of: Callable[[Sequence[Tensor]], Sequence[Tensor]],
) -> dict[str, Tensor]:
    """Weights after gradient steps on `value`, with the graph of those steps.

    sizes_of: the first step's gradients to the size that each tensor's gradients are divided by.
    """
    ahead = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
    sizes: Sequence[Tensor] | None = None
    for _ in range(steps):
        gradients = torch.autograd.grad(value(ahead), list(ahead.values()), create_graph=True)
        sizes = sizes_of(gradients) if sizes is None else sizes
        ahead = {
            name: weight - lr * gradient / size
            for (name, weight), gradient, size in zip(ahead.items(), gradients, sizes, strict=True)
        }
    return ahead
