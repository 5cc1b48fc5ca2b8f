"""Mean and covariance of features, gathered batch by batch in float64."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from scipy.linalg.blas import dsyrk
from torch import Tensor

from ganops.atomic import atomic_path
from ganops.errors import EvaluationError

BLOCK = 64  # rows and columns of a block that is transposed within the cache
ROWS_AT_ONCE = 2048  # rows gathered before the covariance is updated: the update's cost does not depend on their number


@dataclass(frozen=True)
class Statistics:
    """What the Frechet distance needs of a set of features.

    mean: (d,) float64; covariance: (d, d) float64, with n - 1 in the denominator as numpy.cov has it.
    count: how many rows they come from; 0 where a file did not say.
    """

    mean: Tensor
    covariance: Tensor
    count: int

    @property
    def dim(self) -> int:
        """Number of features."""
        return len(self.mean)


class StatisticsGatherer:
    """Streaming mean and covariance: memory is O(d^2), whatever the number of rows.

    Chunks are merged by the pairwise update of Chan, Golub and LeVeque (1979), "Updating formulae and a pairwise
    algorithm for computing sample variances", which does not lose digits where the mean is large against the spread.
    """

    def __init__(self) -> None:
        self.count, self._dim, self._rows_waiting = 0, 0, 0
        self._mean = torch.empty(0)
        self._scatter = np.empty((0, 0))  # of which the lower triangle counts
        self._waiting: list[Tensor] = []

    def add(self, features: Tensor) -> None:
        """Take (n, d) features in; raises EvaluationError for NaN, infinity or another d than before."""
        dim = self._dim or features.shape[-1]
        if features.ndim != 2 or features.shape[1] != dim:
            raise EvaluationError(
                "features have the wrong form",
                code="wrong-features",
                expected=f"(n, {dim})",
                found=str(tuple(features.shape)),
            )
        self._dim = dim
        if not torch.isfinite(features.sum()):  # NaN and infinity stay in a sum, which takes a fraction of the time
            raise EvaluationError(
                "features hold NaN or infinity",
                code="features-not-finite",
                action="look at the images; a damaged weight file can also cause it",
            )
        self._waiting.append(features.cpu())
        self._rows_waiting += len(features)
        if self._rows_waiting >= ROWS_AT_ONCE:
            self._merge()

    def result(self) -> Statistics:
        """The statistics of all rows so far; raises EvaluationError for fewer than 2."""
        self._merge()
        if self.count < 2:
            raise EvaluationError(
                "there are too few images for a covariance",
                code="too-few-images",
                expected="at least 2",
                found=str(self.count),
            )
        # The lower triangle by columns is the upper one by rows.
        covariance = torch.from_numpy(self._scatter.T) / (self.count - 1)
        _mirror(covariance)
        return Statistics(self._mean, covariance, self.count)

    def _merge(self) -> None:
        if not self._rows_waiting:
            return
        if not self.count:
            self._mean = torch.zeros(self._dim, dtype=torch.float64)
            self._scatter = np.zeros((self._dim, self._dim), order="F")
        gathered = torch.empty(self._rows_waiting + 1, self._dim, dtype=torch.float64)
        rows = torch.cat(self._waiting, out=gathered[:-1])
        mean, total = rows.mean(dim=0), self.count + len(rows)
        shift, share = mean - self._mean, len(rows) / total
        rows -= mean
        gathered[-1] = shift * sqrt(self.count * share)  # adds the outer product of the shift between both means
        # Half of a symmetric product, added in place.
        self._scatter = dsyrk(1.0, gathered.numpy().T, beta=1.0, c=self._scatter, overwrite_c=1, lower=1)
        self._mean = self._mean + shift * share
        self._waiting = []
        self.count, self._rows_waiting = total, 0


def _mirror(upper: Tensor) -> None:
    """Fill the lower triangle of a (d, d) matrix from its upper one, by blocks: whole rows would miss the cache."""
    for start in range(0, len(upper), BLOCK):
        stop = start + BLOCK
        square = upper[start:stop, start:stop]
        square.copy_(square.triu() + square.triu(1).T)
        upper[stop:, start:stop] = upper[start:stop, stop:].T


def statistics_of(batches: Iterable[Tensor]) -> Statistics:
    """Statistics of features given as (n, d) batches."""
    gatherer = StatisticsGatherer()
    for batch in batches:
        gatherer.add(batch)
    return gatherer.result()


def write_npz(path: Path, statistics: Statistics) -> None:
    """Write statistics in pytorch-fid's form (`mu`, `sigma`), together with the number of images (`count`)."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:  # savez adds .npz to a name without it
        np.savez(
            file,
            mu=statistics.mean.numpy(),
            sigma=statistics.covariance.numpy(),
            count=np.array(statistics.count),
        )


def read_npz(path: Path) -> Statistics:
    """Read statistics in pytorch-fid's form; no pickle is ever loaded.

    Raises EvaluationError when the file is missing, damaged, pickled, or its arrays do not fit together.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            mean, covariance = (np.asarray(file[key], dtype=np.float64) for key in ("mu", "sigma"))
            count = int(file["count"]) if "count" in file else 0
    except FileNotFoundError:
        raise EvaluationError(
            f"{path} is missing", code="missing-file", action="check the path, or run the reference stage"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadZipFile) as error:
        raise EvaluationError(
            f"{path} does not hold statistics",
            code="damaged-statistics",
            expected="an .npz file with the arrays mu and sigma",
            found=str(error),
        ) from error
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        raise EvaluationError(
            f"{path}: mu and sigma do not fit together",
            code="damaged-statistics",
            expected="(d,) and (d, d)",
            found=f"{mean.shape} and {covariance.shape}",
        )
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise EvaluationError(
            f"{path} holds NaN or infinity", code="damaged-statistics", action="compute the statistics again"
        )
    return Statistics(torch.from_numpy(mean), torch.from_numpy(covariance), count)
