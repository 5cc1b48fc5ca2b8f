"""Scores of samples, in one pass: generation, features and statistics stream; no sample touches the disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from ganops.data.manifest import read_manifest
from ganops.data.rows import Rows, concatenate
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.auto import resolve_features
from ganops.evaluation.closest import ClosestPairs, Pairs
from ganops.evaluation.context import EvalContext, Subject
from ganops.evaluation.directions import domain_folder, joint_scores
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.extractors.classifier import load_classifier
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.held_out import sample_count, task_rows
from ganops.evaluation.metric import MetricGroup, Picture, Table, scored_field
from ganops.evaluation.metric_groups import chosen_groups
from ganops.evaluation.metric_names import metric_key
from ganops.evaluation.precision import full_float32
from ganops.evaluation.protocol import shared_section
from ganops.evaluation.real import Reference
from ganops.evaluation.reference import load_reference
from ganops.evaluation.scores import Protocol, Scores
from ganops.evaluation.threads import threads_for
from ganops.evaluation.unmeasurable import Division, divide
from ganops.evaluation.validation_reference import validation_folder
from ganops.games.game import Game
from ganops.games.sampling import Sample, find_task, sample
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


def open_evaluator(
    reference: Path,
    prepared: Path,
    params: EvaluateParams,
    seed: int,
    device: torch.device | str = "cpu",
    *,
    inputs: Path | None = None,
) -> Evaluator:
    """Read the reference that was made of the prepared data.

    inputs: the folder of packed data that the inputs of tasks come from; None: `prepared`.
    Raises EvaluationError where reference, data and params do not belong together.
    """
    real, manifest = load_reference(reference), read_manifest(prepared)
    made, params = real.description, resolve_features(params, manifest.spec, manifest.counts)
    if manifest.digest != made.real_data:
        raise _stale(reference, "data", f"digest {made.real_data[:16]}...", f"digest {manifest.digest[:16]}...")
    resize = "none" if made.resize == "none" else params.resize
    for name, wanted, found in (
        ("features", params.features, made.features),
        ("split", params.split, made.split),
        ("resize", resize, made.resize),
    ):
        if wanted != found:
            raise _stale(reference, name, wanted, found)
    extractor = load_extractor(params, validation_folder(reference), device)
    if extractor.weights_digest != made.weights:
        raise _stale(reference, "weights", made.weights[:16], extractor.weights_digest[:16])
    classifier = extractor if extractor.classes else None
    if classifier is None and made.classifier is not None:
        classifier = load_classifier(validation_folder(reference), device)
    return Evaluator(real, params, seed, extractor, classifier, prepared, inputs or prepared)


def evaluate_game(
    game: Game,
    reference: Path,
    prepared: Path,
    params: EvaluateParams,
    seed: int,
    device: torch.device | str = "cpu",
    label: str = "evaluate",
    *,
    spec: DataSpec | None = None,
) -> Evaluation:
    """Score all tasks of a game against the reference that was made of the prepared data; see `joint_scores`.

    All but the scores is of the first task. spec: of the model, as model.json has it; None: that of the prepared data.
    Raises EvaluationError where reference, data and params do not belong together, and for weights that hold NaN.
    """
    spec = spec or read_manifest(prepared).spec
    found = {}
    for name, task in game.tasks.items():
        real, data = domain_folder(reference, task, spec), domain_folder(prepared, task, spec)
        evaluator = open_evaluator(real, data, params, seed, device, inputs=prepared)
        found[name] = score_game(game, evaluator, spec, label, name)
    first = next(iter(found.values()))
    return replace(first, scores=joint_scores({name: each.scores for name, each in found.items()}))


def score_game(
    game: Game, evaluator: Evaluator, spec: DataSpec, label: str = "evaluate", task: str | None = None
) -> Evaluation:
    """Score one task, None: the first, with a reference that is open already. spec: of the model."""
    # Rounding to uint8 would turn NaN into black pixels, and black pixels into a score.
    broken = [name for name, tensor in game.state_dict().items() if not torch.isfinite(tensor).all()]
    if broken:
        raise EvaluationError(
            "the game's weights hold NaN or infinity",
            code="weights-not-finite",
            found=", ".join(broken[:3]),
            action="train the recipe again",
        )
    game, params = game.to(evaluator.extractor.device).eval(), evaluator.params
    wanted = find_task(game, task)
    held = None if evaluator.inputs is None else task_rows(wanted, evaluator.inputs, spec, params.samples)
    groups = evaluator.groups(wanted)
    count = sample_count(wanted, params.samples, held)
    context = evaluator.context(groups.chosen, wanted, spec, count, Subject(game, held))
    samples = sample(game, count, evaluator.seed, task=task, held_out=held, batch_size=params.batch_size)
    return replace(evaluator.measure(samples, groups.chosen, context, label), left_out=groups.too_little)


def _stale(reference: Path, what: str, wanted: str, found: str) -> EvaluationError:
    return EvaluationError(
        f"{reference} was made with other {what} than are asked for now",
        code=f"reference-of-other-{what}",
        expected=wanted,
        found=found,
        action="make it again: dvc repro reference",
    )


def outputs_only(batches: Iterable[Tensor], column: str) -> Iterable[Sample]:
    """Stored outputs that nothing was asked for as samples."""
    return (Sample(None, Rows({column: batch}), None) for batch in batches)
