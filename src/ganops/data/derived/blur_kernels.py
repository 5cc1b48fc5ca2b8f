"""Blur kernels of Real-ESRGAN: Gaussians of six shapes, and low passes that ring (arXiv:2107.10833, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin

import torch
from torch import Tensor

SHAPES = ("gaussian", "generalised", "plateau")
SIZES = tuple(range(7, 22, 2))  # of kernels in pixels, drawn with equal probability
SMALL = 13  # pixels: below, low passes keep more


@dataclass(frozen=True)
class Dice:
    """Random numbers for one image, from a generator on the CPU; None: torch's default one."""

    generator: torch.Generator | None = None

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def chance(self, probability: float) -> bool:
        """True as often as that."""
        return self.uniform(0, 1) < probability

    def choice(self, probabilities: Sequence[float]) -> int:
        """The number of one of them, drawn with these probabilities, which sum to 1."""
        drawn, total = self.uniform(0, 1), 0.0
        for number, probability in enumerate(probabilities):
            total += probability
            if drawn < total:
                return number
        return len(probabilities) - 1


def random_blur(dice: Dice, sigma: tuple[float, float], shapes: Sequence[float], low_pass: float) -> Tensor:
    """(k, k) float64 kernel that sums to 1, of 7 to 21 pixels.

    sigma: range of standard deviations in pixels. low_pass: probability of an ideal low pass, else a Gaussian: shapes:
    probabilities of the Gaussian, round and oval, the generalised one, round and oval, and the plateau, round and oval.
    """
    size = SIZES[dice.choice([1 / len(SIZES)] * len(SIZES))]
    if dice.chance(low_pass):
        return low_pass_kernel(dice.uniform(pi / 3 if size < SMALL else pi / 5, pi), size)
    kind, oval = divmod(dice.choice(shapes), 2)
    across = dice.uniform(*sigma)
    along, angle = (dice.uniform(*sigma), dice.uniform(-pi, pi)) if oval else (across, 0.0)
    power = 1.0
    if kind:
        lowest, highest = (0.5, 4.0) if SHAPES[kind] == "generalised" else (1.0, 2.0)
        power = dice.uniform(lowest, 1) if dice.chance(0.5) else dice.uniform(1, highest)
    return gaussian_kernel(size, across, along, angle, power, plateau=SHAPES[kind] == "plateau")


def random_low_pass(dice: Dice) -> Tensor:
    """(k, k) kernel of a low pass, as the last step has it."""
    size = SIZES[dice.choice([1 / len(SIZES)] * len(SIZES))]
    return low_pass_kernel(dice.uniform(pi / 3, pi), size)


def gaussian_kernel(
    size: int, across: float, along: float, angle: float, power: float, *, plateau: bool = False
) -> Tensor:
    """(size, size) exp(-q^power / 2), q the squared distance in standard deviations; plateau: 1 / (1 + q^power).

    across, along: standard deviations in pixels; angle: of the first to the horizontal.
    """
    right, down = _grid(size)
    turned = cos(angle) * right + sin(angle) * down, cos(angle) * down - sin(angle) * right
    q = ((turned[0] / across) ** 2 + (turned[1] / along) ** 2) ** power
    kernel = 1 / (1 + q) if plateau else torch.exp(-0.5 * q)
    return kernel / kernel.sum()


def low_pass_kernel(cutoff: float, size: int) -> Tensor:
    """(size, size) round low pass, which keeps frequencies below `cutoff` radians a pixel and rings at edges."""
    right, down = _grid(size)
    radius = (right**2 + down**2).sqrt()
    centre = cutoff**2 / (4 * pi)
    kernel = cutoff * torch.special.bessel_j1(cutoff * radius) / (2 * pi * radius.clamp(min=1e-9))
    kernel = torch.where(radius == 0, torch.full_like(kernel, centre), kernel)
    return kernel / kernel.sum()


def _grid(size: int) -> tuple[Tensor, Tensor]:
    """Distances from the middle, to the right and down, float64."""
    places = torch.arange(size, dtype=torch.float64) - size // 2
    return places.expand(size, size), places[:, None].expand(size, size)
