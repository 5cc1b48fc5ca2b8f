"""A known distribution: a mixture of equally likely Gaussians of one width."""

from __future__ import annotations

from pydantic import Field

from ganops.settings import Settings


class Mixture(Settings):
    """Gaussians of one standard deviation in every direction.

    centres: K points of D coordinates, in the units of the stored data. sigma: the standard deviation in these units.
    """

    centres: tuple[tuple[float, ...], ...] = Field(min_length=1)
    sigma: float = Field(gt=0)
