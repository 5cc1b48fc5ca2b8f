"""Scores of generated images, in one pass: generation, features and statistics stream; no image touches the disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganops.data.conform import conform
from ganops.data.manifest import read_manifest
from ganops.errors import EvaluationError
from ganops.evaluation.backbones.backbone import Activations, Backbone
from ganops.evaluation.backbones.choose import load_backbone
from ganops.evaluation.closest import ClosestPairs, Pairs
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.extract import extract
from ganops.evaluation.protocol import Protocol
from ganops.evaluation.reference import Reference, load_reference
from ganops.evaluation.score import Case, pick_groups
from ganops.evaluation.statistics import StatisticsGatherer
from ganops.games.game import Game
from ganops.games.sampling import sample_images
from ganops.params import EvaluateParams

SHOWN_SAMPLES, SHOWN_PAIRS = 64, 16


@dataclass(frozen=True)
class Evaluation:
    """scores: key to value with its standard error; protocol: how they were measured.

    samples: the first 64 generated images (n, C, H, W) uint8, as they were scored. closest: the 16 that lie nearest to
    a training image; `rows` count in the packed training file.
    """

    scores: dict[str, Estimate]
    protocol: Protocol
    samples: Tensor
    closest: Pairs

    def metrics(self) -> dict[str, float]:
        """The flat form of metrics.json: each score under its key, its standard error under `<key>_error`."""
        flat = ({key: found.value, f"{key}_error": found.error} for key, found in self.scores.items())
        return {name: value for pair in flat for name, value in pair.items()}


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

    Raises EvaluationError where reference, data and params do not belong together, where the game's weights hold NaN,
    and where a score cannot be had.
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
    # Rounding to uint8 would turn NaN into black pixels, and black pixels into a score.
    sick = [name for name, tensor in game.state_dict().items() if not torch.isfinite(tensor).all()]
    if sick:
        raise EvaluationError(
            "the game's weights hold NaN or infinity", found=", ".join(sick[:3]), action="train the recipe again"
        )
    batches = sample_images(game.to(device), params.samples, seed, params.batch_size)
    return evaluate_images(batches, real, params, seed, device, label)


def evaluate_images(
    batches: Iterable[Tensor],
    real: Reference,
    params: EvaluateParams,
    seed: int,
    device: torch.device | str = "cpu",
    label: str = "evaluate",
) -> Evaluation:
    """Score generated images, given as uint8 batches (n, C, H, W), `params.samples` in all, against a reference.

    Of the images only what is shown is kept; of each there remain its features and logits.
    Raises EvaluationError for another number of images, and as `evaluate_game` does.
    """
    groups = pick_groups(params.scores)
    protocol = protocol_of(real, params, seed)
    backbone = _matching_backbone(real, params, device)
    gatherer, closest = StatisticsGatherer(), ClosestPairs(real.real["train"].features, SHOWN_PAIRS)
    found: list[Activations] = []
    samples: list[Tensor] = []
    fitting = (conform(images, real.description.spec.shape) for images in batches)
    for images, activations in extract(fitting, backbone, params.samples, label):
        gatherer.add(activations.features)
        closest.add(images, activations.features)
        found.append(activations)
        samples.append(images[: max(0, SHOWN_SAMPLES - sum(map(len, samples)))])
    count = sum(map(len, found))
    if count != params.samples:
        raise EvaluationError("not as many images as asked for", expected=f"{params.samples:,}", found=f"{count:,}")
    generated = Activations(torch.cat([part.features for part in found]), torch.cat([part.logits for part in found]))
    distances, pairs = closest.result()
    case = Case(generated, gatherer.result(), distances, real, protocol)
    scores: dict[str, Estimate] = {}
    for group in groups:
        scores |= group.measure(case)
    rows = real.real["train"].rows[pairs.rows]
    return Evaluation(scores, protocol, torch.cat(samples), Pairs(pairs.images, rows, pairs.distances))


def protocol_of(real: Reference, params: EvaluateParams, seed: int) -> Protocol:
    """The protocol under which these settings score images against this reference.

    Raises EvaluationError where the reference was made with other settings.
    """
    made = real.description
    resize = "none" if made.resize == "none" else params.resize
    asked = {"backbone": params.backbone, "split": params.split, "resize": resize}
    for name, value in asked.items():
        if getattr(made, name) != value:
            raise EvaluationError(
                f"{real.folder} was made with another evaluate.{name} than params.yaml asks for",
                expected=value,
                found=getattr(made, name),
                action="make it anew: dvc repro reference",
            )
    return Protocol(
        backbone=made.backbone,
        weights=made.weights,
        resize=made.resize,
        image_shape=made.spec.shape,
        real_data=made.real_data,
        split=made.split,
        real_count=made.counts[made.split],
        generated_count=params.samples,
        seed=seed,
        is_splits=params.is_splits,
        kid_subsets=params.kid_subsets,
        kid_subset_size=params.kid_subset_size,
        neighbours=params.neighbours,
        pairwise_count=min(made.pairwise_count, params.samples),
        classifier=made.classifier,
    )


def _matching_backbone(real: Reference, params: EvaluateParams, device: torch.device | str) -> Backbone:
    backbone = load_backbone(params, real.folder, device)
    if backbone.weights_digest != real.description.weights:
        raise EvaluationError(
            "the backbone's weights are not those the reference was made with",
            expected=f"sha256 {real.description.weights[:16]}...",
            found=f"{backbone.weights_digest[:16]}...",
            action="make it anew: dvc repro reference",
        )
    return backbone
