"""The Frechet distance between two Gaussians fitted to features (Heusel et al. 2017, arXiv:1706.08500)."""

from __future__ import annotations

import scipy.linalg
import torch
from scipy.linalg.lapack import dsygst
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.statistics import Statistics

# Eigenvalues below this share of the largest are rounding, not spread: float64 keeps some 16 digits.
NEGLIGIBLE = 1e-14


def frechet_distance(generated: Statistics, real: Statistics) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), at least 0.

    With S2 = F F' the trace of the root is the sum of the roots of the eigenvalues of F' S1 F, which is symmetric: no
    complex numbers, no failure on singular covariances, a fraction of the time of a general matrix root.
    Raises EvaluationError when the numbers of features differ.
    """
    _check(generated, real)
    projected = _project(generated.covariance, factorise(real.covariance))
    return _combine(generated, real, torch.linalg.eigvalsh(projected))


def frechet_influence(features: Tensor, generated: Statistics, real: Statistics) -> tuple[float, Tensor]:
    """The distance, and the influence (n,) of each of the generated features (n, d) on it.

    With the optimal transport map T = F (F' S1 F)^(-1/2) F' the distance's derivative is 2 (m1 - m2) for the mean and
    I - T for the covariance S1 (Takatsu 2011, "Wasserstein geometry of Gaussian measures"), so that x has the influence
    2 (m1 - m2)(x - m1) + (x - m1)(I - T)(x - m1) - tr((I - T) S1).
    """
    _check(generated, real)
    factor = factorise(real.covariance)
    projected = _project(generated.covariance, factor).numpy()
    values, vectors = map(torch.from_numpy, scipy.linalg.eigh(projected, driver="evd"))
    kept = values > NEGLIGIBLE * values.max()
    # Columns of `half` times their transposes give T; directions without spread carry no weight.
    half = (factor @ vectors[:, kept] / values[kept] ** 0.25).float()
    offset = (generated.mean - real.mean).float()
    influence = []
    for rows in torch.split(features, 4096):
        centred = rows.cpu().float() - generated.mean.float()
        pushed = centred @ half
        influence.append(2 * centred @ offset + centred.square().sum(1) - pushed.square().sum(1))
    joined = torch.cat(influence).double()
    return _combine(generated, real, values), joined - joined.mean()


def factorise(covariance: Tensor) -> Tensor:
    """Lower triangular F with F F' = a positive semi-definite (d, d) matrix, which may be singular."""
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed:
        values, vectors = torch.linalg.eigh(covariance)
        root = vectors * values.clamp(min=0).sqrt()  # negative eigenvalues are rounding
        factor = torch.linalg.qr(root.T).R.T
    return factor


def _project(covariance: Tensor, factor: Tensor) -> Tensor:
    """F' S F, of which the lower triangle counts: with a triangular F a quarter of the work of two products."""
    return torch.from_numpy(dsygst(covariance.numpy(), factor.numpy(), itype=2, lower=1)[0])


def _combine(generated: Statistics, real: Statistics, values: Tensor) -> float:
    shift = float((generated.mean - real.mean).square().sum())
    traces = float(generated.covariance.trace() + real.covariance.trace())
    return max(shift + traces - 2 * float(values.clamp(min=0).sqrt().sum()), 0.0)


def _check(generated: Statistics, real: Statistics) -> None:
    if generated.dim != real.dim:
        raise EvaluationError(
            "the features of generated and real images differ in number",
            code="features-differ",
            expected=f"{real.dim} features, as the real images have",
            found=f"{generated.dim}",
            action="compute both with the same extractor",
        )
