"""ring2d and grid2d: 8 Gaussians on a circle and 25 on a grid, points on which mode collapse is visible.

A. Srivastava et al., VEEGAN (2017), arXiv:1705.07761; Z. Lin et al., PacGAN (2017), arXiv:1712.04086, section 4.1: a
ring of radius 1 with standard deviation 0.01; a grid of spacing 2 from -4 to 4 with standard deviation 0.05; 100,000
points to train on.
"""

from __future__ import annotations

from itertools import product
from math import cos, pi, sin
from typing import Literal

import numpy as np
import torch

from ganops.data.fields.category import CategoryField
from ganops.data.fields.vector import VectorField
from ganops.data.mixture import Mixture
from ganops.data.raw_dataset import RawDataset
from ganops.data.sources.source import SOURCES, Source, SourceContext
from ganops.data.spec import LABEL, VECTOR

MixtureName = Literal["ring2d", "grid2d"]

RING = tuple((cos(2 * pi * mode / 8), sin(2 * pi * mode / 8)) for mode in range(8))
GRID = tuple((float(x), float(y)) for x, y in product(range(-4, 5, 2), repeat=2))

TRAIN, TEST = 100_000, 10_000
OUTERMOST = 0.8  # the coordinate of the outermost centre: all points lie within [-1, 1]
SEED = 20170522  # the points are a published data set: the same for everyone


def mixture(name: MixtureName) -> Mixture:
    """The mixture in the units of the packed data: the papers' times 0.8 for the ring, times 0.2 for the grid."""
    centres, sigma = (RING, 0.01) if name == "ring2d" else (GRID, 0.05)
    scale = OUTERMOST / max(abs(coordinate) for centre in centres for coordinate in centre)
    return Mixture(centres=tuple(tuple(scale * value for value in centre) for centre in centres), sigma=scale * sigma)


def collect(name: MixtureName) -> RawDataset:
    """Points (N, 2) float32; the class of each is the Gaussian it came from, named by its place in the papers."""
    known = mixture(name)
    generator = torch.Generator().manual_seed(SEED)
    labels = torch.randint(len(known.centres), (TRAIN + TEST,), generator=generator)
    noise = torch.randn(TRAIN + TEST, 2, generator=generator)
    points = torch.tensor(known.centres)[labels] + known.sigma * noise
    centres = RING if name == "ring2d" else GRID
    return RawDataset(
        fields={
            VECTOR: VectorField(size=2, mixture=known),
            LABEL: CategoryField(classes=tuple(f"{x:+.1f} {y:+.1f}" for x, y in centres)),
        },
        columns={VECTOR: points.numpy(), LABEL: labels.numpy()},
        rows={"train": np.arange(TRAIN), "test": np.arange(TRAIN, TRAIN + TEST)},
        split_by="published",
        origin="drawn from its formula",
    )


@SOURCES.add("ring2d")
class Ring2d(Source):
    """8 Gaussians on a circle."""

    def collect(self, _context: SourceContext) -> RawDataset:
        """The points; image size and channels mean nothing here."""
        return collect("ring2d")


@SOURCES.add("grid2d")
class Grid2d(Source):
    """25 Gaussians on a 5 x 5 grid."""

    def collect(self, _context: SourceContext) -> RawDataset:
        """The points; image size and channels mean nothing here."""
        return collect("grid2d")
