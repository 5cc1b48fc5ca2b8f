"""What all games of one generator against one discriminator share: two turns, and all that a recipe adds to them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from ganops.data.spec import DataSpec
from ganops.errors import DataError, SettingsError
from ganops.games.augmentation import Augmentation
from ganops.games.figures import class_rows, style_mixing
from ganops.games.game import Batch, Figure, Game, Losses, Player, Request
from ganops.games.penalty import PenaltySettings
from ganops.games.regularisers import (
    ConsistencySettings,
    NoiseSettings,
    PathLengthSettings,
    TopKSettings,
    orthogonal_term,
)
from ganops.networks.network import Discriminator, Generator, StyleGenerator, pick
from ganops.objectives.adversarial import ADVERSARIAL, LossName, one_sided_smoothing, top_share
from ganops.objectives.consistency import consistency
from ganops.objectives.diffaugment import augment
from ganops.settings import Settings


class StandardGANSettings(Settings):
    """loss: what both sides play for; penalty: what the discriminator pays besides; clip: bound of critic weights.

    real_target: label of real images in the cross entropy, below 1 for one-sided smoothing.
    augment: what is done to all images before the discriminator sees them. noise: instance noise on top of that.
    consistency, top_k, path_length: see their classes. orthogonal: weight of the generator's orthogonal penalty.
    """

    loss: LossName
    penalty: PenaltySettings | None = None
    clip: float | None = Field(default=None, gt=0)
    real_target: float = Field(default=1.0, gt=0.5, le=1)
    augment: Augmentation | None = None
    noise: NoiseSettings | None = None
    consistency: ConsistencySettings | None = None
    top_k: TopKSettings | None = None
    path_length: PathLengthSettings | None = None
    orthogonal: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _smoothing_needs_labels(self) -> StandardGANSettings:
        if self.real_target < 1 and self.loss not in ("minimax", "non-saturating"):
            raise ValueError(f"real_target: 1 for the loss '{self.loss}', which has no labels to smooth")
        return self


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What a discriminator makes of the images it sees: (N,) float32 logits, and the features some games look at."""

    images: Tensor
    logits: Tensor
    features: Tensor | None = None


@dataclass(frozen=True)
class GeneratedBatch:
    """Generated images, float32, with the latents they came from; both with their graph."""

    images: Tensor
    latents: Tensor


class StandardGAN(Game):
    """Generator against discriminator (Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1).

    The discriminator's turn makes the fakes; the generator's first turn in the same round plays with these same fakes,
    as the official DCGAN example does, which saves one pass through the generator.

    A game that adds something overrides `opinion` to keep features, and `extra_terms` to have more minimised.
    conditional_generator, conditional_discriminator: who is told the classes.
    """

    conditional_generator = False
    conditional_discriminator = False
    augment_strength: Tensor
    augment_signs: Tensor
    round_signs: Tensor
    path_length_mean: Tensor

    def __init__(self, settings: StandardGANSettings, networks: dict[str, nn.Module], spec: DataSpec) -> None:
        super().__init__()
        self.settings, self.loss = settings, ADVERSARIAL[settings.loss]
        self.generator = pick(networks, "generator", Generator)
        self.discriminator = pick(networks, "discriminator", Discriminator)
        self.class_count = len(spec.classes) if self.conditional_generator else 0
        _check_labels("generator", self.generator.class_count, self.conditional_generator)
        _check_labels("discriminator", self.discriminator.class_count, self.conditional_discriminator)
        self.players = {"discriminator": Player(("discriminator",)), "generator": Player(("generator",))}
        self.ema_networks = ("generator",)
        self.latent_dim = self.generator.latent_dim
        self._fakes: dict[int, GeneratedBatch] = {}
        # State of what adapts, kept here so that checkpoints hold it.
        if settings.augment is not None:
            self.register_buffer("augment_strength", torch.zeros(()))
            self.register_buffer("augment_signs", torch.zeros(2))
            # Sum and number of the real images' signs in this round; between rounds it is empty, so nobody keeps it.
            self.register_buffer("round_signs", torch.zeros(2), persistent=False)
        if settings.path_length is not None:
            pick(networks, "generator", StyleGenerator)
            self.register_buffer("path_length_mean", torch.zeros(()))

    def losses(self, player: str, batch: Batch, step: int) -> Losses:
        """Play one turn; see Game."""
        return self.judge(batch, step) if player == "discriminator" else self.forge(batch, step)

    def graph_key(self, step: int) -> Hashable | None:
        """What lazy terms fall due and how many images count; None while something fades from round to round."""
        settings = self.settings
        noise, penalty, paths, top_k = settings.noise, settings.penalty, settings.path_length, settings.top_k
        if (noise is not None and noise.fades(step)) or (penalty is not None and penalty.fades(step)):
            return None
        due = tuple(lazy is not None and lazy.due(step) for lazy in (penalty, paths))
        return (*due, None if top_k is None else top_k.share(step))

    def generate(self, request: Request) -> Tensor:
        """Images for latents, and for labels where the game knows classes."""
        images: Tensor = self.generator(request.latents, request.labels if self.class_count else None)
        return images

    def figures(self, latents: Tensor, _batch: Batch) -> dict[str, Figure]:
        """A row for each class it is told; two images' styles mixed where there are styles."""
        found = {"classes": class_rows(self, latents)} if self.class_count else {}
        if isinstance(self.generator, StyleGenerator):
            found["mixing"] = style_mixing(self.generator, latents)
        return found

    def on_optimizer_step(self, player: str) -> None:
        """Clip the critic's weights where the recipe asks for it (WGAN, arXiv:1701.07875, algorithm 1)."""
        if self.settings.clip is not None and player == "discriminator":
            for parameter in filter(lambda weight: weight.requires_grad, self.discriminator.parameters()):
                parameter.data.clamp_(-self.settings.clip, self.settings.clip)

    @torch.no_grad()
    def on_step_end(self, processes: int) -> None:
        """Let the augmentation's strength follow what the discriminator made of all real images of the round."""
        if self.settings.augment is not None:
            self.settings.augment.adapt(self.augment_strength, self.augment_signs, self.round_signs * processes)
            self.round_signs.zero_()

    def judge(self, batch: Batch, step: int) -> Losses:
        """The discriminator's turn."""
        settings, labels = self.settings, self.discriminator_labels(batch)
        forgery = self._fakes[batch.part] = self.draw(batch)
        real_images, fake_images = self.seen(batch.images, step), self.seen(forgery.images.detach(), step)
        real, fake = self.discriminate(real_images, labels), self.discriminate(fake_images, labels)
        terms = {"loss": self.loss.discriminator(real.logits, fake.logits)}
        if settings.real_target < 1:
            terms["smoothing"] = one_sided_smoothing(real.logits, settings.real_target)
        if settings.penalty is not None:
            # Not compiled: torch.compile has no second derivatives.
            terms |= settings.penalty.term(
                lambda images: self.discriminator.forward(images, labels), real_images, fake_images, step
            )
        if settings.consistency is not None:
            terms["consistency"] = self._consistency(settings.consistency, real_images, real.logits, labels, "real")
            terms["consistency"] += self._consistency(settings.consistency, fake_images, fake.logits, labels, "fake")
        terms |= self.extra_terms("discriminator", batch, forgery, real, fake)
        score = self.loss.score
        observed = {
            "D(x)": score(real.logits).mean(),
            "D(G(z))": score(fake.logits).mean(),
            "accuracy": (real.logits > fake.logits).float().mean(),
        }
        if settings.augment is not None:
            signs = real.logits.detach().sign()
            self.round_signs += torch.stack((signs.sum(), torch.full_like(signs[0], len(signs))))
            observed["augment strength"] = self.augment_strength.clone()
        return Losses(terms, {name: value.detach() for name, value in observed.items()})

    def forge(self, batch: Batch, step: int) -> Losses:
        """The generator's turn."""
        settings, labels = self.settings, self.discriminator_labels(batch)
        forgery = self._fakes.pop(batch.part, None)
        if forgery is None:
            forgery = self.draw(batch)
        fake = self.discriminate(self.seen(forgery.images, step), labels)
        terms = {"loss": self.generator_loss(batch, fake, step)}
        terms |= orthogonal_term(self.generator, settings.orthogonal)
        if settings.path_length is not None and isinstance(self.generator, StyleGenerator):
            latents, asked = torch.randn_like(forgery.latents), self.generator_labels(batch)
            terms |= settings.path_length.term(self.generator, latents, asked, self.path_length_mean, step)
        return Losses(terms | self.extra_terms("generator", batch, forgery, None, fake))

    def generator_loss(self, batch: Batch, fake: DiscriminatorOutput, step: int) -> Tensor:
        """What the generator minimises, apart from added terms, given what the discriminator makes of its fakes."""
        logits = fake.logits
        if self.loss.relativistic:
            logits = logits - self.discriminate(self.seen(batch.images, step), self.discriminator_labels(batch)).logits
        if self.settings.top_k is not None:
            logits = top_share(logits, self.settings.top_k.share(step))
        return self.loss.generator(logits)

    def draw(self, batch: Batch) -> GeneratedBatch:
        """As many fakes as the batch has images, of the same classes where the generator is told classes."""
        latents = torch.randn(len(batch), self.latent_dim, device=batch.images.device)
        return GeneratedBatch(self.generator(latents, self.generator_labels(batch)).float(), latents)

    def seen(self, images: Tensor, step: int) -> Tensor:
        """Images as the discriminator sees them: augmented, with instance noise."""
        if self.settings.augment is not None:
            images = self.settings.augment.apply(images, self.augment_strength)
        return images if self.settings.noise is None else self.settings.noise.apply(images, step)

    def discriminate(self, images: Tensor, labels: Tensor | None) -> DiscriminatorOutput:
        """What the discriminator makes of images it sees."""
        return DiscriminatorOutput(images, self.discriminator(images, labels).float())

    def extra_terms(
        self,
        _player: str,
        _batch: Batch,
        _forgery: GeneratedBatch,
        _real: DiscriminatorOutput | None,
        _fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """More for a player to minimise. There is no opinion of real images in the generator's turn."""
        return {}

    def _consistency(
        self, settings: ConsistencySettings, images: Tensor, logits: Tensor, labels: Tensor | None, of: str
    ) -> Tensor:
        weight = settings.real if of == "real" else settings.fake
        return weight * consistency(logits, self.discriminate(augment(images, settings.policy), labels).logits)

    def discriminator_labels(self, batch: Batch) -> Tensor | None:
        """The labels the discriminator is told: one class each for an image and the fake it is compared with."""
        return labels_of(batch) if self.conditional_discriminator else None

    def generator_labels(self, batch: Batch) -> Tensor | None:
        """The labels the generator is asked for."""
        return labels_of(batch) if self.conditional_generator else None


def labels_of(batch: Batch) -> Tensor:
    """The batch's labels; raises DataError where the data have none."""
    if batch.labels is None:
        raise DataError("this game is about classes; the data have none", action="take a recipe without labels")
    return batch.labels


def _check_labels(name: str, class_count: int, told: bool) -> None:
    """Raise SettingsError where a network wants labels that its game does not give, or is deaf to those it gives."""
    if class_count and not told:
        raise SettingsError(
            f"networks.{name} takes labels, but this game gives it none",
            action=f"set labels: none in networks.{name}, or take another game",
        )
    if told and not class_count:
        raise SettingsError(
            f"networks.{name} takes no labels, but this game is about them",
            action=f"set labels in networks.{name} (one-hot, embedding ...), or take another game",
        )
