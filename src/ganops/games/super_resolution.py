"""Super-resolution in two stages: near the truth pixel by pixel first, then hard to tell from it (SRGAN and after)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call

from ganops.data.derived.sharpening import sharpened
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.games.game import GAMES, Game, Losses
from ganops.games.stage import Stage
from ganops.games.translation import Translation, TranslationSettings
from ganops.networks.network import PatchDiscriminator, check_fields, pick
from ganops.objectives.adversarial import (
    cross_entropy_discriminator,
    non_saturating_generator,
    relativistic_average_discriminator,
    relativistic_average_generator,
)
from ganops.objectives.perceptual import PerceptualLoss, PerceptualSettings

TASK = "enlarge"
PIXELS = 0  # the first stage
ALTERNATIVES = {"pixels-alone": 0.0, "blend-0.5": 0.5}


LossName = Literal["non-saturating", "relativistic-average"]


class SuperResolutionSettings(TranslationSettings):
    """source: name of the small image field, usually a derived one. target: name of the large one.

    pixel_share: share of the budget in which the generator learns the mean absolute difference to the truth alone.
    loss: adversarial loss of the rest, over all logits: non-saturating (SRGAN, Real-ESRGAN) or relativistic-average
    (ESRGAN).
    adversarial_weight: of the generator's adversarial loss.
    pixel_weight: of the mean absolute difference of pixels in [0, 1] in the second stage; in the first it is 1.
    perceptual: the loss through a frozen network, in the second stage; null: none.
    sharpen: whether the truth of the pixel and perceptual losses is sharpened (Real-ESRGAN).
    blend: weights of the generator that answers, from 0, that of the first stage, to 1, the final one.
    """

    source: str = "low"
    pixel_share: float = Field(default=0.5, gt=0, lt=1)
    loss: LossName = "non-saturating"
    adversarial_weight: float = Field(default=5e-3, gt=0)
    pixel_weight: float = Field(default=1e-2, ge=0)
    perceptual: PerceptualSettings | None = PerceptualSettings()
    sharpen: bool = False
    blend: float = Field(default=1.0, ge=0, le=1)


@GAMES.add("super-resolution", SuperResolutionSettings)
class SuperResolution(Translation):
    """A generator of large images from small ones, and a discriminator of large images.

    Ledig et al. 2016, arXiv:1609.04802; Wang et al. 2018, arXiv:1809.00219; Wang et al. 2021, arXiv:2107.10833.
    The second stage begins from the first one's averaged generator, which is kept: a mean of both networks' weights
    answers between faithful and sharp (1809.00219, section 3.4). In a step the generator plays first, and the
    discriminator sees the same generated images, as in BasicSR's code. Differences from that: the moments of the
    generator's optimiser continue into the second stage; the means of the relativistic loss have gradients, as in the
    paper.
    """

    def __init__(self, settings: SuperResolutionSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(settings, networks, spec)
        self.settings, self.blend = settings, settings.blend
        self.discriminator = pick(networks, "discriminator", PatchDiscriminator)
        check_fields("discriminator", self.discriminator, None, self.target)
        self.pixel_generator = copy.deepcopy(self.generator).requires_grad_(False)
        self.perceptual = PerceptualLoss(settings.perceptual) if settings.perceptual else None
        if self.perceptual is not None:
            self.pretrained = {"perceptual": self.perceptual.features}
        self.players = {"generator": ("generator",), "discriminator": ("discriminator",)}
        self.ema_networks = ("generator", "pixel_generator")
        self.tasks = {TASK: self.task}
        share = settings.pixel_share
        self.stages = (Stage(share, ("generator",)), Stage(1 - share, ("generator", "discriminator")))
        self._generated: dict[int, Tensor] = {}

    def on_stage_begin(self, averaged: Game) -> None:
        """Continue from the averaged generator of the first stage, and keep it."""
        state = averaged.get_submodule("generator").state_dict()
        for network in (self.generator, self.pixel_generator, averaged.get_submodule("pixel_generator")):
            network.load_state_dict(state)

    def losses(self, player: str, batch: Rows, _step: int, micro_batch: int = 0) -> Losses:
        """The losses of one player's turn; see Game."""
        if player == "generator":
            return self._generator_losses(batch, micro_batch)
        known = micro_batch in self._generated
        generated = self._generated.pop(micro_batch) if known else self.translate(batch).detach()
        return self._discriminator_losses(batch[self.target], generated)

    def _generator_losses(self, batch: Rows, micro_batch: int) -> Losses:
        """Generated images should be near the truth; later also look like it, and get large logits."""
        settings, truth, generated = self.settings, batch[self.target], self.translate(batch)
        wanted = sharpened(truth) if settings.sharpen else truth
        pixels = F.l1_loss(generated, wanted) / 2  # as if pixels were in [0, 1]
        if self.stage == PIXELS:
            return Losses({"l1": pixels})
        self._generated[micro_batch] = generated.detach()
        fake = self._discriminate(generated)
        if settings.loss == "non-saturating":
            adversarial = non_saturating_generator(fake)
        else:
            with torch.no_grad():
                real = self._discriminate(truth)
            adversarial = relativistic_average_generator(real, fake) / 2
        losses = {"loss": settings.adversarial_weight * adversarial}
        if settings.pixel_weight:
            losses["l1"] = settings.pixel_weight * pixels
        if self.perceptual is not None:
            losses["perceptual"] = self.perceptual(generated, wanted)
        return Losses(losses)

    def _discriminator_losses(self, truth: Tensor, generated: Tensor) -> Losses:
        """True images should get large logits, generated ones small logits.

        No accuracy is among the logs: a discriminator that is always right is usual here, since other losses teach the
        generator as well.
        """
        real, fake = self._discriminate(truth), self._discriminate(generated)
        if self.settings.loss == "non-saturating":
            loss = cross_entropy_discriminator(real, fake)
        else:
            loss = relativistic_average_discriminator(real, fake) / 2
        return Losses({"loss": loss}, {"D(x)": real.sigmoid().mean(), "D(G(x))": fake.sigmoid().mean()})

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """The large image of each small one, by the blended generator; in the first stage by that which is trained."""
        del task
        return self._blended(inputs, 1.0 if self.stage == PIXELS else self.blend)

    def alternatives(self) -> Mapping[str, Callable[[Rows], Rows]]:
        """The first stage's generator, and the mean of it and the final one."""
        return {name: partial(self._blended, blend=blend) for name, blend in ALTERNATIVES.items()}

    def _blended(self, inputs: Rows, blend: float) -> Rows:
        source = inputs[self.source]
        if blend == 1:
            return Rows({self.target: self.generator(source)})
        first, final = self.pixel_generator.state_dict(), self.generator.state_dict()
        weights = {name: torch.lerp(first[name], final[name], blend) for name in final}
        return Rows({self.target: functional_call(self.generator, weights, (source,))})

    def _discriminate(self, images: Tensor) -> Tensor:
        """Logits, float32."""
        logits: Tensor = self.discriminator(None, images)
        return logits.float()
