"""Inception score (Salimans et al. 2016, arXiv:1606.03498): sure of each image, evenly spread over the classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_influence
from ganops.evaluation.metric import Group, Score


@dataclass(frozen=True)
class InceptionScore:
    """mean and spread (standard deviation) of the score over the splits; influence (n,) of each image on the mean."""

    mean: float
    spread: float
    influence: Tensor


def inception_score(logits: Tensor, splits: int, seed: int) -> InceptionScore:
    """exp of the mean KL divergence of p(y|x) from p(y), averaged over `splits` random parts of the images.

    logits: (n, k) of generated images. The score lies between 1 and k, higher is better.
    The parts are drawn as torch-fidelity draws them, so that its numbers come out with the same seed.
    Raises EvaluationError for fewer images than splits, and for NaN.
    """
    if logits.ndim != 2 or len(logits) < max(splits, 2):
        raise EvaluationError(
            "too few images for the inception score",
            expected=f"at least {max(splits, 2)}, one for each split",
            found=f"logits of shape {tuple(logits.shape)}",
            action="raise evaluate.samples or lower evaluate.is_splits",
        )
    if logits.shape[1] == 0:
        raise EvaluationError(
            "this extractor has no logits, which the inception score needs",
            action="leave is out of evaluate.scores, or choose another extractor",
        )
    if not torch.isfinite(logits).all():
        raise EvaluationError("logits hold NaN or infinity", action="look at the generated images")
    order = torch.from_numpy(np.random.RandomState(seed).permutation(len(logits)))
    logs = logits.cpu().double()[order].log_softmax(dim=1)
    scores, influence = [], torch.empty(len(logs), dtype=torch.float64)
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


def _measure(case: EvalContext) -> dict[str, Estimate]:
    score = inception_score(case.generated.logits, case.protocol.is_splits, case.protocol.seed)
    return {"is": from_influence(score.mean, score.influence)}


GROUP = Group(
    "is",
    (Score("is", "IS", "higher", "Whether each image clearly is something, and all of them together are everything."),),
    _measure,
)
