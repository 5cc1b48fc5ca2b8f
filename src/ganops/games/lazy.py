"""Lazy regularisation: a term that is computed in every n-th step only (Karras et al. 2019, arXiv:1912.04958)."""

from __future__ import annotations

from pydantic import Field

from ganops.settings import Settings


class LazySettings(Settings):
    """every: the term is computed in one step of so many, with its weight multiplied by as much: the mean stays."""

    every: int = Field(default=1, ge=1)

    def due(self, step: int) -> bool:
        """Whether the term is computed in this step."""
        return step % self.every == 0
