"""Scores of generated images, in one pass: generation, features and statistics stream; no image touches the disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganops.data.convert import convert
from ganops.data.manifest import read_manifest
from ganops.errors import EvaluationError
from ganops.evaluation.closest import ClosestPairs, Pairs
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.extract import extract
from ganops.evaluation.extractors.choose import load_extractor
from ganops.evaluation.extractors.classifier import load_classifier
from ganops.evaluation.extractors.extractor import Activations, FeatureExtractor
from ganops.evaluation.metric import pick_groups
from ganops.evaluation.metrics.by_class import GROUP as BY_CLASS
from ganops.evaluation.metrics.by_class import ClassRow, class_rows
from ganops.evaluation.protocol import Protocol, protocol_of
from ganops.evaluation.real import Reference
from ganops.evaluation.reference import load_reference
from ganops.evaluation.statistics import StatisticsGatherer
from ganops.evaluation.threads import threads_for
from ganops.evaluation.validation_reference import VALIDATION
from ganops.games.game import Game
from ganops.games.sampling import sample_images
from ganops.params import EvaluateParams

SHOWN_SAMPLES, SHOWN_PAIRS = 64, 16


@dataclass(frozen=True)
class Evaluation:
    """scores: key to value with its standard error; protocol: how they were measured.

    samples: the first 64 generated images (n, C, H, W) uint8, as they were scored. closest: the 16 that lie nearest to
    a training image; `rows` count in the packed training file. classes: the table by class, empty where there is none.
    """

    scores: dict[str, Estimate]
    protocol: Protocol
    samples: Tensor
    closest: Pairs
    classes: list[ClassRow]

    def metrics(self) -> dict[str, float]:
        """The flat form of metrics.json: each score under its key, its standard error under `<key>_error`."""
        flat: dict[str, float] = {}
        for key, found in self.scores.items():
            flat[key] = found.value
            if found.error is not None:
                flat[f"{key}_error"] = found.error
        return flat


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
    game = game.to(device).eval()
    asked = torch.arange(params.samples) % game.class_count if game.class_count else None
    batches = sample_images(game, params.samples, seed, params.batch_size, asked)
    extractor = load_extractor(params, reference, device)
    return evaluate_images(batches, real, extractor, params, seed, label, asked=asked, game=game, prepared=prepared)


def evaluate_images(
    batches: Iterable[Tensor],
    real: Reference,
    extractor: FeatureExtractor,
    params: EvaluateParams,
    seed: int,
    label: str = "evaluate",
    *,
    asked: Tensor | None = None,
    game: Game | None = None,
    prepared: Path | None = None,
) -> Evaluation:
    """Score generated images, given as uint8 batches (n, C, H, W), `params.samples` in all, against a reference.

    asked: (samples,) class that each image was asked for. game, prepared: whose images they are and where the real ones
    lie packed, for scores that need more than images.
    Images are kept only where a score asks for them; else there remain their features, logits and what is shown.
    Raises EvaluationError for another number of images, and as `evaluate_game` does.
    """
    groups = pick_groups(params.scores)
    protocol = protocol_of(real, params, seed)
    _check_weights(extractor, real)
    classifier = _classifier(extractor, real)
    gatherer, closest = StatisticsGatherer(), ClosestPairs(real.train.features, SHOWN_PAIRS)
    kept = params.samples if any(group.keeps_images for group in groups) else SHOWN_SAMPLES
    found: list[Activations] = []
    predicted: list[Tensor] = []
    samples: list[Tensor] = []
    fitting = (convert(images, real.description.spec.shape) for images in batches)
    for images, activations in extract(fitting, extractor, params.samples, label):
        gatherer.add(activations.features)
        closest.add(images, activations.features)
        samples.append(images[: max(0, kept - sum(map(len, found)))])
        found.append(activations)
        if classifier is not None:
            logits = activations.logits if classifier is extractor else classifier(images).logits
            predicted.append(logits.argmax(dim=1))
    count = sum(map(len, found))
    if count != params.samples:
        raise EvaluationError("not as many images as asked for", expected=f"{params.samples:,}", found=f"{count:,}")
    distances, pairs = closest.result()
    generated = Activations(torch.cat([part.features for part in found]), torch.cat([part.logits for part in found]))
    case = EvalContext(
        generated=generated,
        statistics=gatherer.result(),
        nearest=distances,
        real=real,
        protocol=protocol,
        params=params,
        extractor=extractor,
        predicted=torch.cat(predicted) if predicted else None,
        asked=asked,
        images=torch.cat(samples) if kept == params.samples else None,
        game=game,
        prepared=prepared,
    )
    chosen = [group for group in groups if group.applies(case)]
    scores: dict[str, Estimate] = {}
    with threads_for(generated.features.shape[1]):
        for group in chosen:
            scores |= group.measure(case)
    return Evaluation(
        scores,
        protocol,
        torch.cat(samples)[:SHOWN_SAMPLES],
        Pairs(pairs.images, real.train.rows[pairs.rows], pairs.distances),
        case.once(class_rows) if BY_CLASS in chosen else [],
    )


def _check_weights(extractor: FeatureExtractor, real: Reference) -> None:
    if extractor.weights_digest != real.description.weights:
        raise EvaluationError(
            "the extractor's weights are not those the reference was made with",
            expected=f"sha256 {real.description.weights[:16]}...",
            found=f"{extractor.weights_digest[:16]}...",
            action="make it anew: dvc repro reference",
        )


def _classifier(extractor: FeatureExtractor, real: Reference) -> FeatureExtractor | None:
    """What tells the data's classes apart: the extractor itself where it does, else the reference's classifier."""
    if extractor.classes:
        return extractor
    if real.description.classifier is None or real.folder is None:
        return None
    return load_classifier(real.folder / VALIDATION, extractor.device)
