"""StarGAN: images of one class into any other, by a single generator (Choi et al. 2017, arXiv:1711.09020)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from ganops.data.fields.category import CategoryField
from ganops.data.rows import Rows
from ganops.data.spec import IMAGE, LABEL, DataSpec
from ganops.games.figures import MOST_CLASSES, stacked_rows
from ganops.games.game import GAMES, Figure, Game, Losses
from ganops.games.penalty import PenaltySettings
from ganops.games.task import Task
from ganops.networks.data_shapes import image_field
from ganops.networks.network import AttributeTranslator, ClassifyingDiscriminator, pick
from ganops.objectives.adversarial import ADVERSARIAL
from ganops.settings import Settings

TASK = "translate"
COLUMNS = 10  # of the figure


class StarGANSettings(Settings):
    """classify_weight: of the class terms of both players (lambda_cls). cycle_weight: of the mean absolute difference
    between an image and its translation to another class and back (lambda_rec).

    penalty: on the discriminator's gradient; None: off.
    """

    classify_weight: float = Field(default=1.0, gt=0)
    cycle_weight: float = Field(default=10.0, gt=0)
    penalty: PenaltySettings | None = PenaltySettings(kind="gradient-penalty", weight=10)


@GAMES.add("stargan", StarGANSettings)
class StarGAN(Game):
    """A generator that is given an image and a class, and a Wasserstein critic that also names classes (equations 1-7).

    The wanted classes of a batch are its own in another order. Differences from the authors' code: the generator's turn
    draws another order than the critic's last one; norms work in tests as in training, not with running means; a single
    data set of classes, no binary attributes.
    """

    default_metric = "fid"

    def __init__(self, settings: StarGANSettings, networks: Mapping[str, nn.Module], spec: DataSpec) -> None:
        super().__init__()
        self.settings, self.loss = settings, ADVERSARIAL["wasserstein"]
        self.field, label = image_field(spec), spec.field(LABEL, CategoryField)
        self.generator = pick(networks, "generator", AttributeTranslator)
        self.discriminator = pick(networks, "discriminator", ClassifyingDiscriminator)
        self.players = {"discriminator": ("discriminator",), "generator": ("generator",)}
        self.ema_networks = ("generator",)
        self.tasks = {TASK: Task(outputs={IMAGE: self.field}, inputs={IMAGE: self.field, LABEL: label})}

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) images as (N,) classes, float32."""
        made: Tensor = self.generator(images, labels)
        return made.float()

    def losses(self, player: str, batch: Rows, step: int, _micro_batch: int = 0) -> Losses:
        """The losses of one player's turn; see Game."""
        labels = batch[LABEL]
        wanted = labels[torch.rand(len(labels), device=labels.device).argsort()]
        if player == "discriminator":
            return self._discriminator_losses(batch, wanted, step)
        return self._generator_losses(batch, wanted)

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """Each image as the class that is asked for."""
        del task
        return Rows({IMAGE: self.translate(inputs[IMAGE], inputs[LABEL])})

    def graph_key(self, step: int) -> Hashable | None:
        """Steps with a penalty differ from those without one."""
        penalty = self.settings.penalty
        return None if penalty is not None and penalty.fades(step) else (penalty is not None and penalty.due(step),)

    def _discriminator_losses(self, batch: Rows, wanted: Tensor, step: int) -> Losses:
        """Real images should get large logits and be recognised, translations should get small logits."""
        images, settings = batch[IMAGE], self.settings
        with torch.no_grad():
            fake = self.translate(images, wanted)
        (real_logits, classes), (fake_logits, _) = self._judge(images), self._judge(fake)
        losses = {
            "loss": self.loss.discriminator(real_logits, fake_logits),
            "classify": settings.classify_weight * F.cross_entropy(classes, batch[LABEL]),
        }
        if settings.penalty is not None:
            losses |= settings.penalty.term(self.discriminator, images, fake, step)
        logs = self.loss.logs(real_logits, fake_logits)
        logs["class_accuracy"] = (classes.argmax(dim=1) == batch[LABEL]).float().mean()
        return Losses(losses, logs)

    def _generator_losses(self, batch: Rows, wanted: Tensor) -> Losses:
        """Translations should get large logits, be recognised as the wanted class, and return to their source."""
        images, settings = batch[IMAGE], self.settings
        fake = self.translate(images, wanted)
        logits, classes = self._judge(fake)
        return Losses(
            {
                "loss": self.loss.generator(logits),
                "classify": settings.classify_weight * F.cross_entropy(classes, wanted),
                "cycle": settings.cycle_weight * F.l1_loss(self.translate(fake, batch[LABEL]), images),
            }
        )

    def _judge(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 1, h, w) and (N, K) logits, float32."""
        logits, classes = self.discriminator.judge(images)
        return logits.float(), classes.float()

    def figures(self, _latents: Rows, batch: Rows) -> dict[str, Figure]:
        """Sources, above a row for each class that they are translated to."""
        images = batch[IMAGE][:COLUMNS]
        classes = range(min(self.discriminator.class_count, MOST_CLASSES))
        rows = [self.translate(images, images.new_full((len(images),), each, dtype=torch.long)) for each in classes]
        return {
            "attributes": Figure(
                self.field,
                stacked_rows((images, *rows), len(images)),
                len(images),
                title="Translations to each class",
                caption="The first row shows sources, each row below their translations to one class, in order.",
            )
        }
