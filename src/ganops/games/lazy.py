"""Lazy regularisation: a term that is paid in one round of so many (Karras et al. 2019, arXiv:1912.04958)."""

from __future__ import annotations

from pydantic import Field

from ganops.settings import Settings


class LazySettings(Settings):
    """every: a term is paid in one round of so many, with its weight multiplied by as much, so that the mean stays."""

    every: int = Field(default=1, ge=1)

    def due(self, step: int) -> bool:
        """Whether this is one of the rounds in which the term is paid."""
        return step % self.every == 0
