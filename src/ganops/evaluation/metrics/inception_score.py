"""Inception score (Salimans et al. 2016, arXiv:1606.03498): each image is classified surely, all classes appear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import from_influence
from ganops.evaluation.metric import FEATURES, Metric, MetricGroup, Result, at_the_end, has_features
from ganops.settings import Settings


class InceptionScoreSettings(Settings):
    """splits: parts over which the score is averaged; fewer where a part would have less than two images."""

    splits: int = Field(default=10, ge=1)


@dataclass(frozen=True)
class InceptionScore:
    """mean and spread (standard deviation) of the score over the splits; influence (n,) of each image on the mean."""

    mean: float
    spread: float
    influence: Tensor


def inception_score(logits: Tensor, splits: int, seed: int) -> InceptionScore:
    """exp of the mean KL divergence of p(y|x) from p(y), averaged over `splits` random parts of the images.

    logits: (n, k) of generated images. The score lies between 1 and k, higher is better.
    The parts are drawn as torch-fidelity draws them, so that equal seeds give equal numbers.
    Raises EvaluationError for fewer images than splits, and for NaN.
    """
    if logits.ndim != 2 or len(logits) < max(splits, 2) or logits.shape[1] == 0:
        raise EvaluationError(
            "the inception score cannot be computed from these logits",
            code="too-few-logits",
            expected=f"at least {max(splits, 2)} rows, one for each split, and one column",
            found=f"logits of shape {tuple(logits.shape)}",
        )
    if not torch.isfinite(logits).all():
        raise EvaluationError(
            "logits hold NaN or infinity", code="logits-not-finite", action="look at the generated images"
        )
    order = torch.from_numpy(np.random.RandomState(seed).permutation(len(logits)))
    logs = logits.cpu().double()[order].log_softmax(dim=1)
    scores, influence = list[float](), torch.empty(len(logs), dtype=torch.float64)
    for index in range(splits):
        rows = slice(index * len(logs) // splits, (index + 1) * len(logs) // splits)
        divergence = _divergence(logs[rows])
        score = divergence.mean().exp()
        scores.append(float(score))
        influence[order[rows]] = score * (divergence - divergence.mean())
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)), influence)


def _divergence(logs: Tensor) -> Tensor:
    """KL(p(y|x) || p(y)) of each row of log-probabilities, p(y) being their mean."""
    marginal = logs.exp().mean(dim=0)
    # A class whose probability is 0 in float64 for all images adds 0 * log 0 = 0 to each of them.
    return (logs.exp() * (logs - marginal.clamp(min=torch.finfo(torch.float64).tiny).log())).sum(dim=1)


def _measure(context: EvalContext) -> Result:
    logits = context.generated.logits
    wanted = context.settings_of("is", InceptionScoreSettings).splits
    splits = max(1, min(wanted, len(logits) // 2))
    if not logits.shape[1]:  # an extractor of one's own without logits
        return Result({})
    score = inception_score(logits, splits, context.seed)
    return Result({"is": from_influence(score.mean, score.influence)}, {"splits": splits})


GROUP = MetricGroup(
    "is",
    (
        Metric(
            "is",
            "IS",
            "higher",
            "High where each image clearly shows one class and all classes appear equally often.",
            by_features=True,
        ),
    ),
    has_features,
    at_the_end(_measure),
    FEATURES,
    settings=InceptionScoreSettings,
)
