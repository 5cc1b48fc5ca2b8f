"""Scores of a game: of all its tasks, against the reference that was made of the prepared data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from ganops.data.manifest import read_manifest
from ganops.data.spec import DataSpec
from ganops.errors import EvaluationError
from ganops.evaluation.auto import resolve_features
from ganops.evaluation.context import Subject
from ganops.evaluation.directions import domain_folder, joint_scores
from ganops.evaluation.evaluator import Evaluation, Evaluator
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.extractors.classifier import load_classifier
from ganops.evaluation.held_out import sample_count, task_rows
from ganops.evaluation.reference import load_reference
from ganops.evaluation.validation_reference import validation_folder
from ganops.games.game import Game
from ganops.games.sampling import find_task, sample
from ganops.params import EvaluateParams


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
