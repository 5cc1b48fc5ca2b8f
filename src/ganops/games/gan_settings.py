"""What a recipe's `game` section may say about any game of one generator against one discriminator."""

from __future__ import annotations

from collections.abc import Hashable

from pydantic import Field, model_validator

from ganops.data.fields.image import ImageField
from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.games.augmentation import Augmentation
from ganops.games.penalty import PenaltySettings
from ganops.games.regularisers import ConsistencySettings, NoiseSettings, PathLengthSettings, TopKSettings
from ganops.objectives.adversarial import LossName
from ganops.settings import Settings


class StandardGANSettings(Settings):
    """loss: the adversarial loss of both sides; penalty: on the discriminator's gradient; clip: bound of its weights.

    real_target: label of real rows in the cross entropy, below 1 for one-sided smoothing.
    augment: of all images before the discriminator sees them. noise: instance noise on top of that.
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
            raise ValueError(f"real_target: must be 1 for the loss '{self.loss}', which has no labels to smooth")
        return self

    def graph_key(self, step: int) -> Hashable | None:
        """Which lazy terms are due and how many rows count; None while something fades from step to step."""
        if any(part is not None and part.fades(step) for part in (self.noise, self.penalty, self.augment)):
            return None
        due = tuple(lazy is not None and lazy.due(step) for lazy in (self.penalty, self.path_length))
        return (*due, None if self.top_k is None else self.top_k.share(step))

    def check_field(self, spec: DataSpec, name: str) -> None:
        """Raise SettingsError where an option for images is set and the generated field holds none."""
        if self.augment is not None or self.consistency is not None:
            spec.field(name, ImageField)


def check_unpacked(pack: int) -> None:
    """Raise SettingsError where rows share the features that a game reads each row's class or code from."""
    if pack > 1:
        raise SettingsError(
            "this game looks at the features of single rows, which a packing discriminator does not have",
            code="packed-features",
            expected="pack: 1",
            found=f"pack: {pack}",
            action="set pack: 1 in networks.discriminator, or use the game unconditional",
        )


def check_labels(name: str, class_count: int, given: bool) -> None:
    """Raise SettingsError where a network takes labels that its game does not give, or ignores those it gives."""
    if class_count and not given:
        raise SettingsError(
            f"networks.{name} takes labels, but this game does not give it any",
            code="labels-not-given",
            action=f"set labels: none in networks.{name}, or use another game",
        )
    if given and not class_count:
        raise SettingsError(
            f"networks.{name} takes no labels, but this game gives it labels",
            code="labels-ignored",
            action=f"set labels in networks.{name} (one-hot, embedding ...), or use another game",
        )
