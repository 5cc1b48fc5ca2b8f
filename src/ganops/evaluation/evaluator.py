"""Scores of samples, in one pass: features and statistics stream by, and no sample touches the disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from ganops.data.rows import Rows, concatenate
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.closest import ClosestPairs, Pairs
from ganops.evaluation.context import EvalContext, Subject
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.metric import MetricGroup, Picture, Table, scored_field
from ganops.evaluation.metric_groups import chosen_groups
from ganops.evaluation.metric_names import metric_key
from ganops.evaluation.precision import full_float32
from ganops.evaluation.protocol import shared_section
from ganops.evaluation.real import Reference
from ganops.evaluation.scores import Protocol, Scores
from ganops.evaluation.threads import threads_for
from ganops.evaluation.unmeasurable import Division, divide
from ganops.games.sampling import Sample
from ganops.games.task import Task
from ganops.params import EvaluateParams
from ganops.progress import progress
from ganops.settings import Settings

SHOWN_SAMPLES, SHOWN_PAIRS = 64, 16

Groups = Mapping[str, tuple[MetricGroup, Settings]]


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    tables, pictures: by file name without suffix, in the order in which they are shown.
    samples: the first 64 stored outputs, as they were scored. closest: the 16 samples nearest to a training row, whose
    rows count in the packed training file; None where no features were computed. column: the output that both are of.
    left_out: the groups that the data have too little for, with the reason.
    """

    scores: Scores
    samples: Rows
    tables: Mapping[str, Table] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    closest: Pairs | None = None
    column: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluator:
    """Everything about an evaluation but the samples: the real side, the settings, the networks.

    prepared: the folder of packed data; None where mere files are scored. inputs: the folder that the inputs of tasks
    come from, the same one unless the data are unpaired.
    """

    reference: Reference
    params: EvaluateParams
    seed: int
    extractor: FeatureExtractor
    classifier: FeatureExtractor | None = None
    prepared: Path | None = None
    inputs: Path | None = None

    def groups(self, task: Task) -> Division:
        """The groups of `evaluate.metrics` that can be measured for a task, and the others."""
        made = self.reference.description
        return divide(chosen_groups(self.params), task, made.spec, made.counts, self.classifier is not None)

    def context(
        self, groups: Groups, task: Task, model_spec: DataSpec, count: int, subject: Subject | None = None
    ) -> EvalContext:
        """The context of one evaluation of `count` samples."""
        spec = self.reference.description.spec
        column = scored_field(task, spec)
        features = column is not None and any(group.needs_features for group, _ in groups.values())
        real = self.reference.columns.get(column) if column is not None and features else None
        closest = None
        if real is not None and "train" in real.splits:
            train = real.splits["train"]
            closest = ClosestPairs(train.features, train.rows, SHOWN_PAIRS)
        return EvalContext(
            task=task,
            spec=spec,
            model_spec=model_spec,
            column=column,
            settings={name: settings for name, (_, settings) in groups.items()},
            params=self.params,
            seed=self.seed,
            count=count,
            real=real,
            extractor=self.extractor if features else None,
            classifier=self.classifier if any(group.needs_classifier for group, _ in groups.values()) else None,
            closest=closest,
            subject=subject,
            prepared=self.prepared,
        )

    def measure(
        self, samples: Iterable[Sample], groups: Groups, context: EvalContext, label: str = "evaluate"
    ) -> Evaluation:
        """Score samples, `context.count` in all. Raises EvaluationError for another number, and for NaN."""
        accumulators = {name: group.start(context) for name, (group, _) in groups.items()}
        shown, count = list[Rows](), 0
        with full_float32(), progress(label, context.count, "samples") as bar:
            for batch in samples:
                context.observe(batch)
                for accumulator in accumulators.values():
                    accumulator.update(batch.inputs, batch.outputs, batch.truth)
                if count < SHOWN_SAMPLES:
                    shown.append(batch.outputs.select(slice(0, SHOWN_SAMPLES - count)))
                count += len(batch.outputs)
                bar.update(count)
            if count != context.count:
                raise EvaluationError(
                    "there are not as many samples as announced",
                    code="wrong-count",
                    expected=f"{context.count:,}",
                    found=f"{count:,}",
                )
            dim = 0 if context.real is None else context.real.statistics.dim
            with threads_for(dim):
                results = {name: accumulator.compute() for name, accumulator in accumulators.items()}
        features = self.extractor.name
        values = {
            (name, metric_key(base, features)): estimate
            for name, result in results.items()
            for base, estimate in result.values.items()
        }
        sections = {
            name: dict(result.settings) or groups[name][1].model_dump(mode="json") for name, result in results.items()
        }
        return Evaluation(
            Scores(
                {key: estimate for (_, key), estimate in values.items()},
                Protocol(shared=shared_section(context, self.reference), groups=sections),
                {key: name for name, key in values},
            ),
            concatenate(shown),
            {name: table for result in results.values() for name, table in result.tables.items()},
            {name: picture for result in results.values() for name, picture in result.pictures.items()},
            None if context.closest is None else context.closest.pairs,
            context.column,
        )


def outputs_only(batches: Iterable[Tensor], column: str) -> Iterable[Sample]:
    """Stored outputs that nothing was asked for as samples."""
    return (Sample(None, Rows({column: batch}), None) for batch in batches)
