"""CUT and FastCUT: translation in one direction, without pairs (Park et al. 2020, arXiv:2007.15651)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.game import GAMES, Losses
from ganops.games.unpaired import DIRECTIONS, UnpairedTranslation, generator_weight, unpaired_loss
from ganops.networks.network import EncodingTranslator, PatchDiscriminator, check_fields, pick
from ganops.networks.patch_projection import PatchProjection, random_places
from ganops.objectives.adversarial import LossName
from ganops.objectives.contrastive import patch_nce
from ganops.settings import Settings


class CUTSettings(Settings):
    """direction: which domain is the source. loss: the adversarial loss of both sides, a mean over patches.

    nce_weight: of the contrastive loss, a mean over `layers`.
    nce_identity: compute it on images of the target domain and their translations, too, and take the mean of both, so
        that these images stay as they are. CUT does so, FastCUT does not.
    flip_equivariance: mirror a batch with probability 1/2, and the features of its outputs back, as FastCUT does.
    layers: of the encoder whose features are compared; 0 is the image itself, 1 the first convolution. None: all.
    patches: places of each layer that are compared at a time, at most. projection: width of the features' projection.
    temperature: by which similarities are divided.
    """

    direction: Literal["AtoB", "BtoA"] = "AtoB"
    loss: LossName = "least-squares"
    nce_weight: float = Field(default=1.0, gt=0)
    nce_identity: bool = True
    flip_equivariance: bool = False
    layers: tuple[int, ...] | None = Field(default=None, min_length=1)
    patches: int = Field(default=256, ge=2)
    projection: int = Field(default=256, ge=1)
    temperature: float = Field(default=0.07, gt=0)


@dataclass(frozen=True)
class Translated:
    """fake: the sources' translations. identity: those of target images, None where they are not needed.

    mirrored: 0-dim, whether the generator was given mirrored images; None where it never is.
    """

    fake: Tensor
    identity: Tensor | None
    mirrored: Tensor | None


@GAMES.add("cut", CUTSettings)
class CUT(UnpairedTranslation):
    """Generator against discriminator; features of an output and of its source should agree at the same place.

    The generator's own encoder gives the features, a projection of each layer compares them, and the negatives are
    other places of the same image. As in the authors' code the discriminator plays first, on the translations that the
    generator then improves. Differences from it: features are taken behind the norm and activation of a layer; layer 0
    is the image without a mirrored border; the projection is built from the data's form, not by the first batch, and
    its weights are the generator player's, which is the same for Adam.
    """

    def __init__(self, settings: CUTSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__(spec)
        self.settings, self.loss = settings, unpaired_loss(settings.loss)
        self.source, self.target = DIRECTIONS[settings.direction]
        self.check_equal_domains("the contrastive loss encodes sources and outputs alike")
        self.generator = pick(networks, "generator", EncodingTranslator)
        self.discriminator = pick(networks, "discriminator", PatchDiscriminator)
        check_fields("generator", self.generator, self.source, self.target)
        check_fields("discriminator", self.discriminator, None, self.target)
        channels = (self.fields[self.source].channels, *self.generator.encoder_channels)
        self.layers = tuple(range(len(channels))) if settings.layers is None else settings.layers
        if not set(self.layers) <= set(range(len(channels))):
            raise SettingsError(
                "game.layers names a layer that the generator's encoder does not have",
                code="unknown-layer",
                expected=f"numbers from 0 to {len(channels) - 1}",
                found=", ".join(map(str, self.layers)),
            )
        self.projection = PatchProjection([channels[layer] for layer in self.layers], settings.projection)
        self.players = {"discriminator": ("discriminator",), "generator": ("generator", "projection")}
        self.ema_networks = ("generator",)
        self.translators = {settings.direction: "generator"}
        self.tasks = {settings.direction: self.task_between(self.source, self.target)}
        self._translated: dict[int, Translated] = {}

    def losses(self, player: str, batch: Rows, _step: int, micro_batch: int = 0) -> Losses:
        """The losses of one player's turn; see Game."""
        if player == "discriminator":
            made = self._translated[micro_batch] = self._translate(batch)
            return self._discriminator_losses(batch, made)
        known = micro_batch in self._translated
        return self._generator_losses(batch, self._translated.pop(micro_batch) if known else self._translate(batch))

    def _translate(self, batch: Rows) -> Translated:
        """What the generator makes of a batch's sources, and of its targets where their identity counts."""
        images = batch[self.source]
        if self.settings.nce_identity:
            images = torch.cat((images, batch[self.target]))
        mirrored = None
        if self.settings.flip_equivariance:
            mirrored = torch.rand((), device=images.device) < 0.5
            images = torch.where(mirrored, images.flip(3), images)
        made, count = self.translate(self.settings.direction, images), len(batch[self.source])
        return Translated(made[:count], made[count:] if self.settings.nce_identity else None, mirrored)

    def _discriminator_losses(self, batch: Rows, made: Translated) -> Losses:
        """Images of the target domain should get large logits, translations small ones."""
        real, fake = self._logits(batch[self.target]), self._logits(made.fake.detach())
        return Losses({"loss": self.loss.discriminator(real, fake)}, self.loss.logs(real, fake))

    def _generator_losses(self, batch: Rows, made: Translated) -> Losses:
        """Translations should get large logits, and their patches should be recognised as those of their sources."""
        adversarial = generator_weight(self.settings.loss) * self.loss.generator(self._logits(made.fake))
        terms = [self._contrast(batch[self.source], made.fake, made.mirrored)]
        if made.identity is not None:
            terms.append(self._contrast(batch[self.target], made.identity, made.mirrored))
        return Losses({"loss": adversarial, "nce": self.settings.nce_weight * torch.stack(terms).mean()})

    def _contrast(self, sources: Tensor, outputs: Tensor, mirrored: Tensor | None) -> Tensor:
        """The contrastive loss between sources and outputs, a mean over layers."""
        maps = self._features(outputs)
        if mirrored is not None:
            maps = [torch.where(mirrored, each.flip(3), each) for each in maps]
        places = random_places(maps, self.settings.patches)
        with torch.no_grad():  # the authors' code computes these gradients and drops them
            keys = self.projection(self._features(sources), places)
        queries = self.projection(maps, places)
        temperature = self.settings.temperature
        losses = [patch_nce(query, key, temperature) for query, key in zip(queries, keys, strict=True)]
        return torch.stack(losses).mean()

    def _features(self, images: Tensor) -> list[Tensor]:
        """The maps of the compared layers."""
        maps = [images, *self.generator.encode(images)]
        return [maps[layer] for layer in self.layers]

    def _logits(self, images: Tensor) -> Tensor:
        """(N, 1, h, w) logits, float32."""
        logits: Tensor = self.discriminator(None, images)
        return logits.float()
