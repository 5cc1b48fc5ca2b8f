"""The kernel distance behind KID (Binkowski et al. 2018, arXiv:1801.01401), of many subsets at once."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.estimate import Estimate
from ganops.evaluation.products import Side, centred, sweep
from ganops.settings import Settings

WITNESSES = 5000  # features of each side, at most, that the standard error is computed from


class KIDSettings(Settings):
    """subsets: over which the distance is averaged. subset_size: images of each side in one; fewer where a side is
    smaller.
    """

    subsets: int = Field(default=50, ge=1, le=10_000)
    subset_size: int = Field(default=500, ge=2)


@dataclass(frozen=True)
class KernelDistance:
    """mean and spread (standard deviation) over the subsets.

    error: how far the mean would move (standard deviation) if other images had been generated.
    """

    mean: float
    spread: float
    error: float


class KernelSums:
    """Sums of the kernel (x.y / d + 1)^3 of each row of x over sets of rows of y; a visitor of their products.

    sets: (m, s) float32, 1 where a row is in a set, else 0. A row's kernel with itself is left out.
    sums: (n, s) float64. squares: the sum of the squared kernel over all pairs of the last set, where x is y.
    """

    def __init__(self, x: Side, y: Side, sets: Tensor) -> None:
        self.x, self.y, self.sets = x, y, sets
        self.sums, self.squares = torch.zeros(len(x), sets.shape[1], dtype=torch.float64), 0.0

    def __call__(self, rows: slice, columns: slice, products: Tensor) -> None:
        """Take a block in."""
        dim = self.x.rows.shape[1]
        kernel = torch.add(self.y.lift[columns] / dim + 1, products, alpha=1 / dim)
        kernel.add_((self.x.lift[rows] / dim).unsqueeze(1)).pow_(3)
        if self.x is self.y and rows == columns:
            kernel.fill_diagonal_(0)
        self.sums[rows] += kernel @ self.sets[columns]
        if self.x is not self.y:
            return
        if rows != columns:
            self.sums[columns] += kernel.T @ self.sets[rows]
        of_rows, of_columns = (self.sets[part, -1] for part in (rows, columns))
        self.squares += (1 + (rows != columns)) * float(of_rows @ (kernel.square_() @ of_columns))


class KernelSubsets:
    """The unbiased squared maximum mean discrepancy between subsets of both sides.

    generated_sets: (n, s) float32, 1 where a generated row is in a subset, else 0; real_sets: (m, s).
    own, reals, across: visitors of the products within generated rows, within real ones, and between them.
    """

    def __init__(self, generated: Side, real: Side, generated_sets: Tensor, real_sets: Tensor) -> None:
        sides = ((generated, generated_sets), (real, real_sets))
        self._sets = [torch.cat([sets, _witnesses(len(side))], dim=1) for side, sets in sides]
        self.own, self.reals = (KernelSums(side, side, sets) for (side, _), sets in zip(sides, self._sets, strict=True))
        self.across = KernelSums(generated, real, self._sets[1])

    def distances(self) -> Tensor:
        """(s,) float64, when all blocks are in: 0 is best, slightly negative values occur."""
        generated, real = (sets[:, :-1].double() for sets in self._sets)
        n, m = generated.sum(dim=0), real.sum(dim=0)
        own, reals = (generated * self.own.sums[:, :-1]).sum(dim=0), (real * self.reals.sums[:, :-1]).sum(dim=0)
        across = (generated * self.across.sums[:, :-1]).sum(dim=0)
        return own / (n * (n - 1)) + reals / (m * (m - 1)) - 2 * across / (n * m)

    def variance(self, count: int) -> float:
        """Variance over draws of `count` generated images against the same real ones, when all blocks are in.

        It is that of a U-statistic (Hoeffding 1948, "A class of statistics with asymptotically normal distribution"):
        4 / count times the variance of the witness function (the mean kernel with generated minus that with real
        images), plus 2 / count^2 times the variance of the kernel without its row and column means, which alone
        remains near a perfect generator. The witness is estimated from at most WITNESSES images of each side, without
        an image's kernel with itself; the variance that their chance adds is subtracted.
        """
        n, m = (int(sets[:, -1].sum()) for sets in self._sets)
        witnesses = self._sets[0][:, -1] > 0
        own = self.own.sums[witnesses, -1] / (n - 1)
        witness = own - self.across.sums[witnesses, -1] / m
        centred_kernel = self.own.squares / (n * (n - 1)) - 2 * float(own.square().mean()) + float(own.mean()) ** 2
        rest = max(centred_kernel, 0.0)
        chance = rest * (1 / n + 1 / m - 1 / len(self._sets[1]))
        return 4 * max(float(witness.var()) - chance, 0.0) / count + 2 * rest / count**2


class Subsets:
    """Random subsets of both sides, drawn as torch-fidelity draws them, so that equal seeds give equal numbers.

    Raises EvaluationError for fewer images than `size`.
    """

    def __init__(self, generated: Side, real: Side, count: int, size: int, seed: int) -> None:
        for name, side in (("generated", generated), ("real", real)):
            if len(side) < size:
                raise EvaluationError(
                    f"there are fewer {name} images than one subset has",
                    code="too-few-images",
                    expected=f"at least {size}",
                    found=str(len(side)),
                    action="lower subset_size, or use more images",
                )
        generator = np.random.RandomState(seed)
        chosen = torch.zeros(len(generated), count), torch.zeros(len(real), count)
        for index in range(count):
            for sets in chosen:
                sets[torch.from_numpy(generator.choice(len(sets), size, replace=False)), index] = 1
        self.size, self.kernel = size, KernelSubsets(generated, real, *chosen)

    @property
    def distance(self) -> KernelDistance:
        """Over the subsets, when all blocks are in."""
        found, images = self.kernel.distances().numpy(), len(self.kernel.own.x)
        # A single subset is a sample of its own size; many together use all images, each draw adding chance of its own.
        count, draws = (self.size, 0.0) if len(found) == 1 else (images, float(found.var(ddof=1)) / len(found))
        return KernelDistance(float(found.mean()), float(found.std()), sqrt(self.kernel.variance(count) + draws))


def mmd2(x: Tensor, y: Tensor) -> Estimate:
    """The unbiased squared maximum mean discrepancy of all features (n, d) and (m, d), n and m at least 2.

    Its error is over other draws of x. Raises EvaluationError where the numbers of features differ.
    """
    reals, made = centred(y, x)
    found = KernelSubsets(made, reals, torch.ones(len(x), 1), torch.ones(len(y), 1))
    for sums in (found.own, found.reals, found.across):
        sweep(sums.x, sums.y, [sums])
    return Estimate(float(found.distances()), sqrt(found.variance(len(x))))


def _witnesses(count: int) -> Tensor:
    """(count, 1): the witnesses as a set, evenly spaced, since the order of images may say what they show."""
    chosen, number = torch.zeros(count, 1), min(count, WITNESSES)
    chosen[torch.arange(number) * count // number] = 1
    return chosen
