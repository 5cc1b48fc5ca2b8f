"""Metrics and metric groups: what is measured, when it applies, and how it accumulates over batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from PIL import Image

from ganops.data.fields.image import ImageField, first_image
from ganops.data.fields.vector import VectorField
from ganops.data.packed import Split
from ganops.data.rows import Rows
from ganops.data.spec import DataSpec
from ganops.evaluation.estimate import Estimate
from ganops.games.task import Task
from ganops.settings import Settings

if TYPE_CHECKING:
    from ganops.evaluation.context import EvalContext

Better = Literal["lower", "higher"]


@dataclass(frozen=True)
class Metric:
    """One number of scores.json.

    key: its name there; title: as the field writes it; better: which way, None where neither is better in itself;
    sentence: what it says, for the report. headline: whether the short leaderboard has a column for it.
    by_features: the key and the title get the name of the features that it was measured in ("fid_classifier",
        "FID (classifier)"); Inception-v3's alone have the plain name.
    """

    key: str
    title: str
    better: Better | None
    sentence: str
    headline: bool = False
    by_features: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a result: its title, column names, and cells as numbers, text or None."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | int | None]]


@dataclass(frozen=True)
class Picture:
    """A picture of a result with what the report says of it."""

    title: str
    caption: str
    image: Image.Image


@dataclass(frozen=True)
class Result:
    """What a metric group found; tables and pictures by file name without suffix.

    settings: the group's section of the protocol: its settings as used, after they were adapted to the data.
    """

    values: Mapping[str, Estimate]
    settings: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)


class Accumulator(Protocol):
    """One measurement in progress, in torchmetrics' words."""

    def update(self, inputs: Rows | None, outputs: Rows, truth: Rows | None, /) -> None:
        """Take in one batch of stored rows; truth: the real outputs of the same inputs, for paired tasks."""

    def compute(self) -> Result:
        """The scores of all batches so far."""


@dataclass(frozen=True)
class AtTheEnd:
    """An accumulator for scores that follow from what the context has gathered: features, classes, the game."""

    context: EvalContext
    measure: Callable[[EvalContext], Result]

    def update(self, inputs: Rows | None, outputs: Rows, truth: Rows | None) -> None:
        """Nothing: the context gathers."""

    def compute(self) -> Result:
        """Measure now."""
        return self.measure(self.context)


def at_the_end(measure: Callable[[EvalContext], Result]) -> Callable[[EvalContext], Accumulator]:
    """The `start` of a group that computes everything when all batches have been seen."""
    return lambda context: AtTheEnd(context, measure)


class NoSettings(Settings):
    """For groups that have nothing to set."""


Counts = Mapping[Split, int]


@dataclass(frozen=True)
class MetricGroup:
    """Metrics that are computed together, under the name by which `evaluate.metrics` asks for them.

    applies: whether they make sense for a task on such data; known right after `prepare`.
    requires: what `applies` asks for, as a phrase.
    fewest_test: test images that they need at least.
    settings: the group's section of `evaluate.metrics`, and of the protocol; two scores compare when it is equal.
    start: begins a measurement.
    needs_features: the context must gather features of the outputs.
    needs_classifier: the reference must hold a classifier of the data's classes.
    validates: cheap enough for a validation metric, and computed from outputs and one split of the data alone.
    """

    name: str
    metrics: tuple[Metric, ...]
    applies: Callable[[Task, DataSpec], bool]
    start: Callable[[EvalContext], Accumulator]
    requires: str = ""
    fewest_test: int = 0
    settings: type[Settings] = NoSettings
    needs_features: bool = True
    needs_classifier: bool = False
    validates: bool = True


def scored_field(task: Task, spec: DataSpec) -> str | None:
    """The output that features are computed of: the first one that is a column of the data and not a category."""
    return next(
        (
            name
            for name, output in task.outputs.items()
            if name in spec.fields and isinstance(output, ImageField | VectorField)
        ),
        None,
    )


def has_features(task: Task, spec: DataSpec) -> bool:
    """`applies` of groups that compare features."""
    return scored_field(task, spec) is not None


def has_classes(task: Task, spec: DataSpec) -> bool:
    """`applies` of groups that look at the data's classes, of which there must be two."""
    return scored_field(task, spec) == spec.target and len(spec.classes) >= 2


def makes_paired_images(task: Task, _spec: DataSpec) -> bool:
    """`applies` of groups that compare images with their truth."""
    return task.paired and first_image(task.outputs) is not None


FEATURES = "outputs that are images or vectors of the data"
CLASSES = "images or vectors of two or more classes"
PAIRED_IMAGES = "a paired task that makes images"
