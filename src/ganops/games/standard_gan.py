"""One generator against one discriminator: what each of them minimises, and what a recipe may add to it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganops.data.fields.category import CategoryField
from ganops.data.fields.vector import VectorField
from ganops.data.rows import Rows
from ganops.data.spec import LABEL, DataSpec
from ganops.errors import DataError
from ganops.games.figures import class_rows, style_mixing
from ganops.games.game import Figure, Game, Losses
from ganops.games.gan_settings import StandardGANSettings, check_labels
from ganops.games.regularisers import orthogonal_term
from ganops.games.task import Task
from ganops.networks.data_shapes import target_field
from ganops.networks.network import Discriminator, Generator, StyleGenerator, pick
from ganops.objectives.adversarial import ADVERSARIAL, one_sided_smoothing, top_share

LATENT = "z"


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What the discriminator saw and what it returned: (N,) float32 logits, and the features that some games use."""

    images: Tensor
    logits: Tensor
    features: Tensor | None = None


@dataclass(frozen=True)
class GeneratedBatch:
    """Generated rows, float32, with the latents they came from; both with their graph. small: at a second size."""

    images: Tensor
    latents: Tensor
    small: Tensor | None = None


class StandardGAN(Game):
    """Generator against discriminator (Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1).

    The discriminator's turn generates the fakes; the generator's first turn in the same step uses the same fakes, as in
    the official DCGAN example, which saves one pass through the generator.

    A game that minimises more overrides `extra_losses`.
    conditional_generator, conditional_discriminator: which network is given class labels.
    keeps_features: whether `extra_losses` gets the features that the discriminator's logits come from.
    """

    conditional_generator = False
    conditional_discriminator = False
    keeps_features = False
    augment_strength: Tensor
    augment_signs: Tensor
    step_signs: Tensor
    path_length_mean: Tensor

    def __init__(self, settings: StandardGANSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__()
        self.settings, self.loss, self.target = settings, ADVERSARIAL[settings.loss], spec.target
        self.generator = pick(networks, "generator", Generator)
        self.discriminator = pick(networks, "discriminator", Discriminator)
        self.latent_dim = self.generator.latent_dim
        check_labels("generator", self.generator.class_count, self.conditional_generator)
        check_labels("discriminator", self.discriminator.class_count, self.conditional_discriminator)
        settings.check_field(spec, self.target)
        self.players = {"discriminator": ("discriminator",), "generator": ("generator",)}
        self.ema_networks = ("generator",)
        self.tasks = {
            "generate": Task(
                outputs={self.target: target_field(spec)},
                inputs={LABEL: spec.field(LABEL, CategoryField)} if self.conditional_generator else {},
                latents={LATENT: VectorField(size=self.latent_dim)},
            )
        }
        self._generated: dict[int, GeneratedBatch] = {}
        # State of what adapts, in buffers so that checkpoints hold it.
        if settings.augment is not None:
            self.register_buffer("augment_strength", torch.zeros(()))
            self.register_buffer("augment_signs", torch.zeros(2))
            # Sum and number of the real logits' signs in this step; zero between steps, so not worth saving.
            self.register_buffer("step_signs", torch.zeros(2), persistent=False)
        if settings.path_length is not None:
            pick(networks, "generator", StyleGenerator)
            self.register_buffer("path_length_mean", torch.zeros(()))

    def losses(self, player: str, batch: Rows, step: int, micro_batch: int = 0) -> Losses:
        """The losses of one player's turn; see Game."""
        if player == "discriminator":
            return self.discriminator_losses(batch, step, micro_batch)
        return self.generator_losses(batch, step, micro_batch)

    def discriminator_losses(self, batch: Rows, step: int, micro_batch: int) -> Losses:
        """Real rows should get large logits, generated ones small logits."""
        settings, labels = self.settings, self.discriminator_labels(batch)
        generated = self._generated[micro_batch] = self.draw(batch)
        real_images, fake_images = batch[self.target], generated.images.detach()
        real = self.discriminate(self.augment(real_images, step), labels)
        fake = self.discriminate(self.augment(fake_images, step), labels)
        losses = {"loss": self.loss.discriminator(real.logits, fake.logits)}
        if settings.real_target < 1:
            losses["smoothing"] = one_sided_smoothing(real.logits, settings.real_target)
        if settings.penalty is not None:

            def critic(images: Tensor) -> Tensor:
                """D(T(x)) as a function of x; `forward`, since torch.compile has no second derivatives."""
                return self.discriminator.forward(self.augment(images, step), labels)

            losses |= settings.penalty.term(critic, real_images, fake_images, step)
        if settings.consistency is not None:
            pairs = (real.images, real.logits), (fake.images, fake.logits)
            losses |= settings.consistency.term(lambda images: self.discriminate(images, labels).logits, *pairs)
        losses |= self.extra_losses("discriminator", batch, generated, real, fake)
        return Losses(losses, self._logs(real.logits.detach(), fake.logits.detach()))

    def generator_losses(self, batch: Rows, step: int, micro_batch: int) -> Losses:
        """Generated rows should get large logits."""
        generated = self.reuse(batch, micro_batch)
        fake = self.discriminate(self.augment(generated.images, step), self.discriminator_labels(batch))
        losses = {"loss": self.generator_loss(batch, fake, step)}
        losses |= self.generator_regularisers(batch, generated, step)
        return Losses(losses | self.extra_losses("generator", batch, generated, None, fake))

    def generator_loss(self, batch: Rows, fake: DiscriminatorOutput, step: int) -> Tensor:
        """The adversarial loss of the generator, given the discriminator's output for its rows."""
        logits = fake.logits
        if self.loss.relativistic:
            real_images = self.augment(batch[self.target], step)
            logits = logits - self.discriminate(real_images, self.discriminator_labels(batch)).logits
        if self.settings.top_k is not None:
            logits = top_share(logits, self.settings.top_k.share(step))
        return self.loss.generator(logits)

    def generator_regularisers(self, batch: Rows, generated: GeneratedBatch, step: int) -> dict[str, Tensor]:
        """The orthogonal penalty and path length regularisation, where the recipe asks for them."""
        losses = orthogonal_term(self.generator, self.settings.orthogonal)
        if self.settings.path_length is not None and isinstance(self.generator, StyleGenerator):
            latents, labels = torch.randn_like(generated.latents), self.generator_labels(batch)
            losses |= self.settings.path_length.term(self.generator, latents, labels, self.path_length_mean, step)
        return losses

    def extra_losses(
        self,
        _player: str,
        _batch: Rows,
        _generated: GeneratedBatch,
        _real: DiscriminatorOutput | None,
        _fake: DiscriminatorOutput,
    ) -> dict[str, Tensor]:
        """More terms for a player to minimise; `real` is None in the generator's turn."""
        return {}

    def draw(self, batch: Rows) -> GeneratedBatch:
        """As many generated rows as the batch has, of the same classes where the generator is conditional."""
        latents = torch.randn(len(batch), self.latent_dim, device=batch[self.target].device)
        return GeneratedBatch(self.generator(latents, self.generator_labels(batch)).float(), latents)

    def reuse(self, batch: Rows, micro_batch: int) -> GeneratedBatch:
        """The rows that the discriminator's turn generated, once; newly generated ones after that."""
        return self._generated.pop(micro_batch, None) or self.draw(batch)

    def augment(self, images: Tensor, step: int) -> Tensor:
        """Rows as the discriminator sees them: augmented, with instance noise."""
        if self.settings.augment is not None:
            images = self.settings.augment.apply(images, self.augment_strength, step)
        return images if self.settings.noise is None else self.settings.noise.apply(images, step)

    def discriminate(self, images: Tensor, labels: Tensor | None) -> DiscriminatorOutput:
        """The discriminator's output for augmented rows."""
        if self.keeps_features:
            return with_features(self.discriminator, images, labels)
        return DiscriminatorOutput(images, self.discriminator(images, labels).float())

    def discriminator_labels(self, batch: Rows) -> Tensor | None:
        """The labels that the discriminator is given: those of the real rows, for real and generated rows alike."""
        return labels_of(batch) if self.conditional_discriminator else None

    def generator_labels(self, batch: Rows) -> Tensor | None:
        """The labels that the generator is given."""
        return labels_of(batch) if self.conditional_generator else None

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """Rows for latents, and for labels where the generator is conditional."""
        del task
        labels = inputs[LABEL] if self.conditional_generator else None
        return Rows({self.target: self.generator(inputs[LATENT], labels)})

    def figures(self, latents: Rows, _batch: Rows) -> dict[str, Figure]:
        """A row for each class of a conditional generator; mixed styles of a style generator."""
        found = {"classes": class_rows(self, latents)} if self.conditional_generator else {}
        if isinstance(self.generator, StyleGenerator):
            found["mixing"] = style_mixing(self.generator, latents[LATENT], self.task.outputs[self.target])
        return found

    def graph_key(self, step: int) -> Hashable | None:
        """Which lazy terms are due and how many rows count; None while something fades from step to step."""
        return self.settings.graph_key(step)

    def on_optimizer_step(self, player: str) -> None:
        """Clip the critic's weights where the recipe asks for it (WGAN, arXiv:1701.07875, algorithm 1)."""
        if self.settings.clip is not None and player == "discriminator":
            for parameter in filter(lambda weight: weight.requires_grad, self.discriminator.parameters()):
                parameter.data.clamp_(-self.settings.clip, self.settings.clip)

    @torch.no_grad()
    def on_step_end(self, processes: int) -> None:
        """Adapt the augmentation's strength to the discriminator's output for all real rows of the step."""
        if self.settings.augment is not None:
            self.settings.augment.adapt(self.augment_strength, self.augment_signs, self.step_signs * processes)
            self.step_signs.zero_()

    def _logs(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Scores and accuracy; counts the signs of real logits for the augmentation."""
        logs = self.loss.logs(real, fake, "G(z)")
        if self.settings.augment is not None:
            signs = real.sign()
            self.step_signs += torch.stack((signs.sum(), torch.full_like(signs[0], len(signs))))
            logs["augment strength"] = self.augment_strength.clone()
        return logs


def with_features(network: Discriminator, images: Tensor, labels: Tensor | None = None) -> DiscriminatorOutput:
    """Logits with the features they come from."""
    features = network.features(images)
    return DiscriminatorOutput(images, network.logits(features, labels).float(), features)


def labels_of(batch: Rows) -> Tensor:
    """The labels of a batch; raises DataError where it has none."""
    if LABEL not in batch:
        raise DataError(
            "this game needs class labels, which the data do not have",
            code="no-labels",
            action="use a recipe that needs no labels",
        )
    return batch[LABEL]
