"""What metric groups share in one evaluation: features of both sides, predicted classes, the game itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from ganops.data.fields.category import CategoryField
from ganops.data.fields.field import Field
from ganops.data.spec import DataSpec
from ganops.evaluation.closest import ClosestPairs
from ganops.evaluation.extractors.extractor import Activations, FeatureExtractor
from ganops.evaluation.real import RealColumn, draw
from ganops.evaluation.statistics import Statistics, StatisticsGatherer
from ganops.games.game import Game
from ganops.games.sampling import HeldOut, Sample
from ganops.games.task import Task
from ganops.params import EvaluateParams
from ganops.settings import Settings

T = TypeVar("T")
S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Subject:
    """The model that is evaluated, for groups that ask it for more than samples.

    held_out: rows that its inputs may come from; None where the task needs none.
    """

    game: Game
    held_out: HeldOut | None = None


@dataclass(frozen=True)
class EvalContext:
    """One evaluation. It gathers from each batch, once for all groups, what they have in common.

    task: what the model answers. spec: the prepared data. model_spec: the data in the form that the model takes.
    column: the output that features are computed of; None where there is none.
    settings: of each group. seed: of latents and random subsets. count: how many samples are scored.
    real: the real rows of `column`. extractor: what features come from; classifier: what names classes (the extractor
    itself where it can); None where no group needs them, or there is none.
    closest: keeps the pairs of generated and nearest training rows, where that is wanted.
    subject: the model, and prepared the folder of packed data; None where mere files are scored.
    """

    task: Task
    spec: DataSpec
    model_spec: DataSpec
    column: str | None
    settings: Mapping[str, Settings]
    params: EvaluateParams
    seed: int
    count: int
    real: RealColumn | None = None
    extractor: FeatureExtractor | None = None
    classifier: FeatureExtractor | None = None
    closest: ClosestPairs | None = None
    subject: Subject | None = None
    prepared: Path | None = None
    _gatherer: StatisticsGatherer = field(default_factory=StatisticsGatherer, repr=False, compare=False)
    _found: list[Activations] = field(default_factory=list, repr=False, compare=False)
    _predicted: list[Tensor] = field(default_factory=list, repr=False, compare=False)
    _requested: list[Tensor] = field(default_factory=list, repr=False, compare=False)
    _known: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def observe(self, sample: Sample) -> None:
        """Take in one batch, before the groups do."""
        if sample.classes is not None:
            self._requested.append(self._as_the_data_number(sample.classes))
        if self.extractor is None or self.column is None:
            return
        outputs = self.fitted(sample.outputs[self.column])
        activations = self.extractor(outputs)
        self._gatherer.add(activations.features)
        self._found.append(activations)
        if self.closest is not None:
            self.closest.add(outputs, activations.features)
        if self.classifier is not None:
            same = self.classifier is self.extractor
            logits = activations.logits if same else self.classifier(outputs).logits
            self._predicted.append(logits.argmax(dim=1))

    def fitted(self, outputs: Tensor) -> Tensor:
        """Stored outputs of `column` in the form of the data: their size, their channels."""
        return self.output_field.convert(outputs, self.data_field)

    @property
    def output_field(self) -> Field:
        """What the scored output is, as the model makes it."""
        assert self.column is not None
        return self.task.outputs[self.column]

    @property
    def data_field(self) -> Field:
        """What the scored output is, as the data have it."""
        assert self.column is not None
        return self.spec.fields[self.column]

    @property
    def reals(self) -> RealColumn:
        """The real rows, for groups that need features."""
        assert self.real is not None, "a group that compares features sets needs_features"
        return self.real

    @property
    def features_from(self) -> FeatureExtractor:
        """The extractor, for groups that need features."""
        assert self.extractor is not None, "a group that compares features sets needs_features"
        return self.extractor

    @cached_property
    def generated(self) -> Activations:
        """Features and logits of all samples. Ask for this and the three below when all batches are in."""
        parts = self._found
        return Activations(torch.cat([part.features for part in parts]), torch.cat([part.logits for part in parts]))

    @cached_property
    def statistics(self) -> Statistics:
        """Mean and covariance of the generated features."""
        return self._gatherer.result()

    @cached_property
    def compared_rows(self) -> Tensor:
        """(m,) the samples that are compared pair by pair: drawn, since files may be sorted by what they show."""
        return draw(len(self.generated), self.params.pairwise_samples, self.seed)

    @cached_property
    def compared(self) -> Tensor:
        """(m, d): their features."""
        return self.generated.features[self.compared_rows]

    @property
    def predicted_class(self) -> Tensor | None:
        """(n,) the class that the classifier sees in each sample; None where there is no classifier."""
        return torch.cat(self._predicted) if self._predicted else None

    @property
    def target_class(self) -> Tensor | None:
        """(n,) the class that each sample should be of, -1: one that the data do not have.

        None where the task has no class column.
        """
        return torch.cat(self._requested) if self._requested else None

    @property
    def classes(self) -> Tensor:
        """(n,) the class that each sample counts for: the one it should be of, else the one the classifier sees."""
        found = self.predicted_class if self.target_class is None else self.target_class
        assert found is not None, "a group that looks at classes sets needs_classifier"
        return found

    def _as_the_data_number(self, classes: Tensor) -> Tensor:
        """Requested classes by their names: a model may have been trained on data with other classes."""
        requested = self.task.inputs.get(self.task.class_column or "")
        if not isinstance(requested, CategoryField) or requested.classes == self.spec.classes:
            return classes
        number = {name: index for index, name in enumerate(self.spec.classes)}
        return torch.tensor([number.get(name, -1) for name in requested.classes])[classes]

    def settings_of(self, group: str, kind: type[S]) -> S:
        """The settings of a group; their defaults where it was not asked for."""
        found = self.settings.get(group)
        return found if isinstance(found, kind) else kind()

    def cached(self, compute: Callable[[EvalContext], T]) -> T:
        """compute(self), computed the first time only: what several groups share. Ask when all batches are in."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        return cast(T, self._known[compute])
