"""Scores from features alone, against pytorch-fid and torch-fidelity; a part of benchmarks.evaluation_speed."""

from __future__ import annotations

import warnings
from math import sqrt

import numpy as np
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from torch import Tensor
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from benchmarks.evaluation_race import BATCH, NEIGHBOURS, SEED, SETTINGS, race
from benchmarks.rows import Row
from ganops.evaluation.all_pairs import compare
from ganops.evaluation.frechet import frechet_distance, frechet_influence
from ganops.evaluation.metrics.inception_score import inception_score
from ganops.evaluation.statistics import Statistics, statistics_of

DIM, CLASSES = 2048, 1008


def features(count: int, seed: int) -> Tensor:
    """(count, 2048) like those of a network: not negative, correlated, of falling variance."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(DIM, DIM, generator=torch.Generator().manual_seed(0)) * torch.linspace(1, 0.05, DIM)
    return ((torch.randn(count, DIM, generator=generator) + 0.1 * seed) @ mixing / sqrt(DIM)).relu()


def from_features(count: int, times: int) -> list[Row]:
    """FID alone against pytorch-fid, and all scores against torch-fidelity."""
    generated, real = features(count, 1), features(count, 2)
    logits = 2 * torch.randn(count, CLASSES, generator=torch.Generator().manual_seed(3))
    # pytorch-fid keeps activations in float64.
    generated_array, real_array = generated.double().numpy(), real.double().numpy()
    real_statistics = statistics_of([real])
    subset = min(SETTINGS["kid_subset_size"], count)

    def our_scores(reference: Statistics) -> float:
        statistics = statistics_of(torch.split(generated, BATCH))
        value, _ = frechet_influence(generated, statistics, reference)
        inception_score(logits, 10, SEED)
        compare(generated, real, SEED, (SETTINGS["kid_subsets"], subset), NEIGHBOURS)
        return value

    def their_scores() -> float:
        pair = [fid_features_to_statistics(side) for side in (generated, real)]
        settings = SETTINGS | {"kid_subset_size": subset, "verbose": False, "save_cpu_ram": True}
        isc_features_to_metric(logits, 10, True, SEED)
        kid_features_to_metric(generated, real, **settings)
        prc_features_to_metric(generated, real, **settings)
        return float(fid_statistics_to_metric(*pair, verbose=False)["frechet_inception_distance"])

    def pytorch_fid() -> float:
        pairs = [(np.mean(side, axis=0), np.cov(side, rowvar=False)) for side in (generated_array, real_array)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return float(calculate_frechet_distance(*pairs[0], *pairs[1]))

    def both_sides() -> Statistics:
        return statistics_of(torch.split(real, BATCH))

    def fid(reference: Statistics) -> float:
        return frechet_distance(statistics_of(torch.split(generated, BATCH)), reference)

    size = f"{count:,} features of {DIM}"
    return [
        *race(
            f"FID, {size}",
            {"both sides": lambda: fid(both_sides()), "real side known": lambda: fid(real_statistics)},
            "pytorch-fid FID, both sides",
            pytorch_fid,
            times,
            5.0,
        ),
        *race(
            f"FID IS KID PRDC with errors, {size}",
            {"both sides": lambda: our_scores(both_sides()), "real side known": lambda: our_scores(real_statistics)},
            "torch-fidelity FID IS KID PRC, both sides",
            their_scores,
            times,
            2.0,
        ),
    ]
