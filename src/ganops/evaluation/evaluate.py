"""Scores of generated images, in one pass: generation, features and statistics stream; no image touches the disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganops.data.manifest import read_manifest
from ganops.errors import EvaluationError
from ganops.evaluation.backbones.backbone import Activations
from ganops.evaluation.backbones.choose import load_backbone
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.extract import extract
from ganops.evaluation.protocol import Protocol
from ganops.evaluation.reference import Reference, load_reference
from ganops.evaluation.resize import CONVERSION, conform
from ganops.evaluation.score import Case, pick_groups
from ganops.evaluation.statistics import StatisticsGatherer
from ganops.games.game import Game
from ganops.games.sampling import sample_images
from ganops.params import EvaluateParams


@dataclass(frozen=True)
class Evaluation:
    """scores: key to value with its standard error; protocol: how they were measured."""

    scores: dict[str, Estimate]
    protocol: Protocol


def evaluate_game(
    game: Game,
    reference: Path,
    prepared: Path,
    params: EvaluateParams,
    seed: int,
    device: torch.device | str = "cpu",
    label: str = "evaluate",
) -> Evaluation:
    """Score a game's images against the reference that was made of the prepared data.

    Raises EvaluationError where reference, data and params do not belong together, and where a score cannot be had.
    """
    real = load_reference(reference)
    found = read_manifest(prepared).digest
    if found != real.description.real_data:
        raise EvaluationError(
            f"{reference} was made of other data than {prepared}",
            expected=f"data digest {real.description.real_data[:16]}...",
            found=f"{found[:16]}...",
            action="make it anew: dvc repro reference",
        )
    batches = sample_images(game, params.samples, seed, params.batch_size)
    return evaluate_images(batches, real, params, seed, device, label)


def evaluate_images(
    batches: Iterable[Tensor],
    real: Reference,
    params: EvaluateParams,
    seed: int,
    device: torch.device | str = "cpu",
    label: str = "evaluate",
) -> Evaluation:
    """Score `params.samples` generated images, given as uint8 batches (n, C, H, W), against a reference."""
    groups = pick_groups(params.scores)
    _check(real, params)
    backbone = load_backbone(params, real.folder, device)
    if backbone.weights_digest != real.description.weights:
        raise EvaluationError(
            "the backbone's weights are not those the reference was made with",
            expected=f"sha256 {real.description.weights[:16]}...",
            found=f"{backbone.weights_digest[:16]}...",
            action="make it anew: dvc repro reference",
        )
    gatherer, found = StatisticsGatherer(), list[Activations]()
    fitting = (conform(images, real.description.spec.shape) for images in batches)
    for _, activations in extract(fitting, backbone, params.samples, label):
        gatherer.add(activations.features)
        found.append(activations)
    generated = Activations(torch.cat([part.features for part in found]), torch.cat([part.logits for part in found]))
    protocol = _protocol(real, params, len(generated), seed)
    case = Case(generated, gatherer.result(), real, protocol)
    scores: dict[str, Estimate] = {}
    for group in groups:
        scores |= group.measure(case)
    return Evaluation(scores, protocol)


def _check(real: Reference, params: EvaluateParams) -> None:
    made, asked = real.description, params
    for what, one, other in (
        ("backbone", made.backbone, asked.backbone),
        ("split", made.split, asked.split),
        ("resize", made.resize, asked.resize if made.resize != "none" else "none"),
    ):
        if one != other:
            raise EvaluationError(
                f"{real.folder} was made with another evaluate.{what} than params.yaml asks for",
                expected=other,
                found=one,
                action="make it anew: dvc repro reference",
            )


def _protocol(real: Reference, params: EvaluateParams, generated: int, seed: int) -> Protocol:
    made = real.description
    return Protocol(
        backbone=made.backbone,
        weights=made.weights,
        resize=made.resize,
        image_shape=made.spec.shape,
        conversion=CONVERSION,
        real_data=made.real_data,
        split=made.split,
        real_count=made.counts[made.split],
        generated_count=generated,
        seed=seed,
        is_splits=params.is_splits,
        kid_subsets=params.kid_subsets,
        kid_subset_size=params.kid_subset_size,
        neighbours=params.neighbours,
        pairwise_count=min(made.pairwise_count, generated),
        classifier=made.classifier,
    )
