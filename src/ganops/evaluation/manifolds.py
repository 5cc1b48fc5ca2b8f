"""Precision, recall, density and coverage: how many images fall into the neighbourhoods of the other side's.

Precision and recall: Kynkaanniemi et al. 2019, arXiv:1904.06991. Density and coverage: Naeem et al. 2020,
arXiv:2002.09797. A neighbourhood is the ball around an image that just reaches its k-th nearest of the same side.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor

from ganops.errors import EvaluationError
from ganops.evaluation.products import Side, squared_distances
from ganops.settings import Settings


class PRDCSettings(Settings):
    """neighbours: k of the k nearest neighbours; fewer where a side has not more images."""

    neighbours: int = Field(default=5, ge=1)


@dataclass(frozen=True)
class Manifolds:
    """What is found for each image; the four scores are means of these.

    precise (n,): the generated image lies in the neighbourhood of some real one; dense (n,): in how many, over k.
    recalled (m,): the real image lies in the neighbourhood of some generated one; covered (m,): its neighbourhood
    holds a generated one. All float32.
    """

    precise: Tensor
    dense: Tensor
    recalled: Tensor
    covered: Tensor


class Radii:
    """Finds the distance of each row of a side to its k-th nearest other; a visitor of the side's own products."""

    def __init__(self, side: Side, k: int) -> None:
        if len(side) <= k:
            raise EvaluationError(
                "there are too few images for precision and recall",
                code="too-few-images",
                expected=f"more than {k} images on both sides",
                found=str(len(side)),
                action="use more images, or fewer neighbours",
            )
        self.side, self.k = side, k
        self._nearest = torch.full((len(side), k), torch.inf)

    def __call__(self, rows: slice, columns: slice, products: Tensor) -> None:
        """Take a block in."""
        squares = squared_distances(self.side, self.side, rows, columns, products)
        if rows == columns:
            squares.fill_diagonal_(torch.inf)
        else:
            self._take(columns, squares.T)
        self._take(rows, squares)

    @property
    def squares(self) -> Tensor:
        """(n,) the squared distances, when all blocks are in."""
        return self._nearest.amax(dim=1)

    def _take(self, part: slice, squares: Tensor) -> None:
        # topk is several times faster here than kthvalue.
        found = squares.topk(min(self.k, squares.shape[1]), dim=1, largest=False).values
        self._nearest[part] = torch.cat([self._nearest[part], found], dim=1).topk(self.k, dim=1, largest=False).values


class Neighbourhoods:
    """Looks which rows lie in whose neighbourhood; a visitor of the products of generated with real rows.

    generated, real: the radii of both sides, in which all blocks are.
    """

    def __init__(self, generated: Radii, real: Radii) -> None:
        self.generated, self.real, self.k = generated.side, real.side, real.k
        self._generated_radii, self._real_radii = generated.squares, real.squares
        self._dense = torch.zeros(len(self.generated), dtype=torch.int32)
        self._recalled = torch.zeros(len(self.real), dtype=torch.bool)
        self._closest = torch.full((len(self.real),), torch.inf)

    def __call__(self, rows: slice, columns: slice, products: Tensor) -> None:
        """Take a block in."""
        squares = squared_distances(self.generated, self.real, rows, columns, products)
        # Bytes are counted several times faster than booleans.
        inside = (squares <= self._real_radii[columns]).view(torch.uint8)
        self._dense[rows] += inside.sum(dim=1, dtype=torch.int32)
        self._recalled[columns] |= (squares <= self._generated_radii[rows].unsqueeze(1)).any(dim=0)
        self._closest[columns] = torch.minimum(self._closest[columns], squares.amin(dim=0))

    @property
    def found(self) -> Manifolds:
        """What was found, when all blocks are in."""
        covered = self._closest <= self._real_radii
        return Manifolds((self._dense > 0).float(), self._dense / self.k, self._recalled.float(), covered.float())
