"""What games of two unpaired domains have in common: their data, the tasks of both directions, the figures."""

from __future__ import annotations

from collections.abc import Hashable

from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.fields.image import ImageField
from ganops.data.rows import Rows
from ganops.data.spec import CHARACTER, DOMAINS, LABEL, DataSpec, joint_name
from ganops.errors import SettingsError
from ganops.games.figures import stacked_rows
from ganops.games.game import Figure, Game
from ganops.games.task import Task
from ganops.networks.data_shapes import image_field
from ganops.objectives.adversarial import ADVERSARIAL, AdversarialLoss, LossName

A, B = DOMAINS
A_TO_B, B_TO_A = "AtoB", "BtoA"
DIRECTIONS = {A_TO_B: (A, B), B_TO_A: (B, A)}  # each task's source and target
COLUMNS = 10  # of a figure


def unpaired_loss(name: LossName) -> AdversarialLoss:
    """The adversarial loss of that name; raises SettingsError for one that needs pairs of real and generated images."""
    if ADVERSARIAL[name].relativistic:
        raise SettingsError(
            "unpaired domains have no pairs of real and generated images",
            code="no-pairs",
            found=f"loss: {name}",
            action="take least-squares, non-saturating, hinge or wasserstein",
        )
    return ADVERSARIAL[name]


def generator_weight(name: LossName) -> float:
    """What the generator's adversarial loss counts, relative to the other terms.

    The squared error of CycleGAN's and CUT's authors lacks the factor 1/2 of arXiv:1611.04076.
    """
    return 2.0 if name == "least-squares" else 1.0


class UnpairedTranslation(Game):
    """A game whose data are images of two domains, A and B, without pairs.

    `translators` has the network of each task. Outputs depend on their source alone: there is no latent.
    """

    default_metric = "fid"

    def __init__(self, spec: DataSpec) -> None:
        super().__init__()
        if spec.paired:
            raise SettingsError(
                "this game needs images of two domains",
                code="paired-data",
                expected="unpaired data with the domains A and B",
                found=", ".join(spec.fields),
                action="give two folders A and B, or set data.source: domains (docs/data.md)",
            )
        self.fields: dict[str, ImageField] = {domain: image_field(spec, domain) for domain in DOMAINS}
        self.translators: dict[str, str] = {}
        self._spec = spec

    def check_equal_domains(self, reason: str) -> None:
        """Raise SettingsError, which says the reason, where the domains differ in size or channels."""
        if self.fields[A] != self.fields[B]:
            raise SettingsError(
                reason,
                code="other-fields",
                expected="domains of equal size and channels",
                found=" and ".join(field.description for field in self.fields.values()),
                action="set channels and image_size in the recipe",
            )

    def task_between(self, source: str, target: str, back: str | None = None) -> Task:
        """The task of one direction; an output should be of the class of its source where both domains share these.

        Test rows that show the same character are partners.
        back: the name of the task of the other direction; None where the game has one direction.
        """
        return Task(
            outputs={target: self.fields[target]},
            inputs={source: self.fields[source]},
            class_column=joint_name(source, LABEL) if self._share(LABEL) else None,
            partner_column=CHARACTER if self._share(CHARACTER) else None,
            back=back,
        )

    def _share(self, name: str) -> bool:
        """Whether both domains have a column of this name with the same classes."""
        fields = [self._spec.fields.get(joint_name(domain, name)) for domain in DOMAINS]
        classes = [field.classes for field in fields if isinstance(field, CategoryField)]
        return len(classes) == len(DOMAINS) and classes[0] == classes[1]

    def translate(self, task: str, images: Tensor) -> Tensor:
        """(N, C, H, W) images of the task's source domain to images of the other, float32."""
        made: Tensor = self.get_submodule(self.translators[task])(images)
        return made.float()

    def generate(self, inputs: Rows, task: str | None = None) -> Rows:
        """The translation of each source."""
        name = task or next(iter(self.tasks))
        (source, target) = (next(iter(each)) for each in (self.tasks[name].inputs, self.tasks[name].outputs))
        return Rows({target: self.translate(name, inputs[source])})

    def graph_key(self, _step: int) -> Hashable | None:
        """All steps are alike."""
        return ()

    def figures(self, _latents: Rows, batch: Rows) -> dict[str, Figure]:
        """Of each direction: sources, above their translations, above what these are translated back to."""
        return {f"translations-{name}": self._figure(name, batch) for name in self.tasks}

    def _figure(self, name: str, batch: Rows) -> Figure:
        (source, target) = (next(iter(each)) for each in (self.tasks[name].inputs, self.tasks[name].outputs))
        images = batch[source]
        made, rows = self.translate(name, images), [images]
        rows.append(self._in_form_of(source, target, made))
        caption = "Rows of sources, each above the row of their translations."
        back = self.tasks[name].back
        if back is not None:
            rows.append(self.translate(back, made))
            caption = "Rows of sources, each above the row of their translations, above these translated back."
        columns = min(COLUMNS, len(batch))
        return Figure(
            self.fields[source], stacked_rows(rows, columns), columns, f"Translations {source} to {target}", caption
        )

    def _in_form_of(self, source: str, target: str, made: Tensor) -> Tensor:
        """Outputs in the size and with the channels of the source's domain, to be drawn in one grid."""
        wanted, field = self.fields[source], self.fields[target]
        return made if wanted == field else wanted.to_model(field.convert(field.to_storage(made), wanted))
