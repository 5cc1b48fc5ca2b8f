"""Metrics and metric groups: what is measured, when it applies, and how it accumulates over batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from PIL import Image

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
    """What a metric group found; tables and pictures by file name without suffix."""

    values: Mapping[str, Estimate]
    tables: Mapping[str, Table] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)


class Accumulator(Protocol):
    """One measurement in progress, in torchmetrics' words."""

    def update(self, inputs: Rows | None, outputs: Rows, truth: Rows | None) -> None:
        """Take in one batch of stored rows; truth: the real outputs of the same inputs, for paired tasks."""

    def compute(self) -> Result:
        """The scores of all batches so far."""


class NoSettings(Settings):
    """For groups that have nothing to set."""


@dataclass(frozen=True)
class MetricGroup:
    """Metrics that are computed together, under the name by which `evaluate.metrics` asks for them.

    applies: whether they can be computed for a task on such data; known right after `prepare`.
    settings: the group's section of `evaluate`, and of the protocol; two scores compare when it is equal.
    start: begins a measurement.
    needs_classifier: the reference must hold a classifier of the data's classes.
    """

    name: str
    metrics: tuple[Metric, ...]
    applies: Callable[[Task, DataSpec], bool]
    start: Callable[[EvalContext], Accumulator]
    settings: type[Settings] = NoSettings
    needs_classifier: bool = False
