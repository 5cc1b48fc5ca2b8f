"""The validation metric: any metric that is cheap enough, of few samples, all through a training."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from ganops.data.spec import DataSpec
from ganops.errors import SettingsError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.directions import domain_folder
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.held_out import sample_count, task_rows
from ganops.evaluation.metric import MetricGroup, scored_field
from ganops.evaluation.metric_groups import find_group, group_of_metric
from ganops.evaluation.metric_names import base_of, describe, metric_key
from ganops.evaluation.precision import full_float32
from ganops.evaluation.threads import threads_for
from ganops.evaluation.unmeasurable import divide
from ganops.evaluation.validation_reference import ValidationReference, read_validation
from ganops.games.game import Game
from ganops.games.sampling import HeldOut, sample
from ganops.params import EvaluateParams
from ganops.settings import validate

SEED_OFFSET = 2  # its latents are not those of the full scores, which would flatter the step that it chooses
# Samples that a validation takes at most, by what their features cost: with the shipped `validate_kimg` this keeps it
# below a tenth of the training (benchmarks/validation_share.py).
MOST_SAMPLES = {"classifier": 100_000, "efficientnet-lite0": 200}


@dataclass(frozen=True)
class NoValidation:
    """Why a training has no validation metric."""

    reason: str


class ValidationMetric:
    """One metric of `samples` outputs of a game.

    Always of the same inputs and latents, drawn by `seed`, so that two moments of a training differ by the game alone.
    Neither the game nor torch's random generators are changed. `batch_size` outputs are made at once.
    name: of its curve. better: which values are. digest: of all that decides its values apart from the game.
    about: what it is measured against, for a person.
    """

    def __init__(
        self,
        base: str,
        group: MetricGroup,
        real: ValidationReference,
        spec: DataSpec,
        rows: HeldOut | None,
        *,
        samples: int,
        seed: int,
        batch_size: int,
    ) -> None:
        self.base, self.group, self.real, self.spec, self.rows = base, group, real, spec, rows
        self.samples, self.seed, self.batch_size = samples, seed + SEED_OFFSET, batch_size
        made = real.description
        metric = describe(metric_key(base, made.features or "inception-v3"))
        assert metric.better is not None
        self.name, self.better = f"val/{metric.key}", metric.better
        against = [made.weights, made.split, made.count, made.spec.model_dump(mode="json")]
        identity = [self.name, samples, self.seed, against]
        self.digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        real_side = f"{made.count:,} {made.split} images" if group.needs_features else "held-out pairs"
        self.about = f"{metric.title} of {samples:,} samples against {real_side}"

    def __call__(self, game: Game) -> float:
        """The value for the networks as they are."""
        features = self.group.needs_features
        context = EvalContext(
            task=game.task,
            spec=self.real.description.spec,
            model_spec=self.spec,
            column=scored_field(game.task, self.real.description.spec),
            settings={self.group.name: validate(self.group.settings, {}, self.group.name)},
            params=EvaluateParams(samples=self.samples),
            seed=self.seed,
            count=self.samples,
            real=self.real.column if features else None,
            extractor=self.real.extractor if features else None,
            classifier=self._classifier(),
        )
        accumulator = self.group.start(context)
        with full_float32():
            for batch in sample(game, self.samples, self.seed, held_out=self.rows, batch_size=self.batch_size):
                context.observe(batch)
                accumulator.update(batch.inputs, batch.outputs, batch.truth)
            with threads_for(context.real.statistics.dim if context.real else 0):
                return accumulator.compute().values[self.base].value

    def _classifier(self) -> FeatureExtractor | None:
        extractor = self.real.extractor
        return extractor if self.group.needs_classifier and extractor is not None and extractor.classes else None


def load_validation_metric(
    game: Game,
    spec: DataSpec,
    reference: Path,
    prepared: Path,
    metric: str = "auto",
    *,
    samples: int,
    seed: int,
    batch_size: int,
    device: torch.device | str = "cpu",
) -> ValidationMetric | NoValidation:
    """The validation metric of a game, or the reason why it has none.

    spec: of the model. metric: a key with or without the name of features; "auto": the game's own default.
    samples: how many are made for each value; fewer where features are expensive or inputs are few.
    Raises SettingsError for a metric that is unknown or cannot validate, EvaluationError for a damaged reference.
    """
    base = base_of(game.default_metric if metric == "auto" else metric)
    group = find_group(group_of_metric(base) or describe(base).key)
    if not group.validates or next(each for each in group.metrics if each.key == base).better is None:
        raise SettingsError(
            f"the metric '{base}' cannot find the best step",
            code="not-a-validation-metric",
            found=base,
            action="take fid, kid, psnr, ssim or another one that is cheap and says which way is better",
        )
    real = read_validation(domain_folder(reference, game.task, spec), device)
    made = real.description
    if group.needs_features and real.extractor is None:
        return NoValidation(f"there are no features of {made.spec.fields[made.spec.target].description}")
    classifier = real.extractor is not None and bool(real.extractor.classes)
    settings = validate(group.settings, {}, group.name)
    found = divide({group.name: (group, settings)}, game.task, made.spec, {made.split: made.count}, classifier)
    for reason in (found.other_tasks | found.too_little).values():
        return NoValidation(f"{base} {reason}")
    if group.needs_features:
        samples = min(samples, MOST_SAMPLES[made.features or ""])
    rows = task_rows(game.task, prepared, spec, samples, "validation")
    count = sample_count(game.task, samples, rows)
    return ValidationMetric(base, group, real, spec, rows, samples=count, seed=seed, batch_size=batch_size)
