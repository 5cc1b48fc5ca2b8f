"""Perceptual path length: how far images move in feature space for a small step of the latent.

Karras et al. 2019, arXiv:1812.04948, section 4.1, in the features of the chosen extractor instead of LPIPS'.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.context import EvalContext
from ganops.evaluation.estimate import Estimate, from_mean
from ganops.evaluation.extractors.extractor import FeatureExtractor
from ganops.evaluation.latent_interpolation import slerp
from ganops.evaluation.metric import Group, Score
from ganops.games.game import Game, Request
from ganops.games.sampling import draw_latents

STEP = 1e-4  # of the way from one latent to another, as in the paper
TRIMMED = 0.01  # of the lengths on either side, as in the paper's code: single jumps would decide the mean


@torch.inference_mode()
def path_lengths(game: Game, extractor: FeatureExtractor, pairs: int, seed: int, batch_size: int) -> Tensor:
    """(n,) squared feature distance over squared step, at random places between `pairs` random pairs of latents.

    The 1 % shortest and longest are left out. Images are not rounded to uint8, which would hide so small a step.
    """
    ends = draw_latents(2 * pairs, game.latent_dim, seed)
    places = torch.rand(pairs, 1, generator=torch.Generator().manual_seed(seed)) * (1 - STEP)
    found = []
    for rows in torch.split(torch.arange(pairs), batch_size):
        a, b, t = (values[rows].to(extractor.device) for values in (ends[:pairs], ends[pairs:], places))
        labels = (rows % game.class_count).to(extractor.device) if game.class_count else None
        here, there = (_features(game, extractor, Request(slerp(a, b, at), labels)) for at in (t, t + STEP))
        found.append((here - there).square().sum(dim=1) / STEP**2)
    lengths = torch.cat(found).sort().values
    cut = int(len(lengths) * TRIMMED)
    return lengths[cut : len(lengths) - cut]


def _features(game: Game, extractor: FeatureExtractor, request: Request) -> Tensor:
    return extractor.activations(game.generate(request).float() * 127.5 + 127.5).features


def _measure(case: EvalContext) -> dict[str, Estimate]:
    assert case.game is not None
    shape = next(iter(_one_image(case.game))).shape
    if tuple(shape) != case.protocol.image_shape:
        raise EvaluationError(
            "path length needs images of the reference's own shape",
            expected=str(case.protocol.image_shape),
            found=str(tuple(shape)),
            action="leave path-length out of evaluate.scores",
        )
    params, seed = case.params, case.protocol.seed
    lengths = path_lengths(case.game, case.extractor, params.path_length_pairs, seed, params.batch_size)
    return {"path_length": from_mean(lengths)}


@torch.inference_mode()
def _one_image(game: Game) -> Tensor:
    device = next(game.parameters()).device
    labels = torch.zeros(1, dtype=torch.int64, device=device) if game.class_count else None
    return game.generate(Request(draw_latents(1, game.latent_dim, 0).to(device), labels))


def _applies(case: EvalContext) -> bool:
    return case.game is not None


GROUP = Group(
    "path-length",
    (Score("path_length", "Path length", "lower", "How abruptly images change on a walk through latent space."),),
    _measure,
    _applies,
)
